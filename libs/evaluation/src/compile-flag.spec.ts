import fc from 'fast-check';
import { compileFlag } from './compile-flag.js';
import { evaluate } from './evaluate.js';
import type { EvaluableFlag } from './flag.js';
import { OPERATORS } from './rule/compile-rule.js';

const flag = (changes: Partial<EvaluableFlag> = {}): EvaluableFlag => ({
  key: 'new-path',
  state: 'ENABLED',
  variants: { on: true, off: false, true: 'yes' },
  defaultVariant: 'off',
  ...changes,
});
const served = (targeting: unknown, context: Record<string, unknown> = {}) =>
  compileFlag(flag({ targeting }))(context);

describe('compileFlag', () => {
  it('serves the default variant of a flag without rules as STATIC, the same object every time', () => {
    const evaluator = compileFlag(flag());
    expect(evaluator({})).toEqual({ variant: 'off', value: false, reason: 'STATIC' });
    expect(evaluator({ targetingKey: 'a' })).toBe(evaluator({ targetingKey: 'b' }));
    expect(compileFlag(flag({ targeting: {} }))({}).reason).toBe('STATIC');
  });

  it('leaves a disabled flag to the default in the code', () => {
    expect(compileFlag(flag({ state: 'DISABLED', targeting: { nonsense: 1 } }))({})).toEqual({
      reason: 'DISABLED',
    });
  });

  it('leaves a flag without default variant to the code too', () => {
    expect(compileFlag(flag({ defaultVariant: null }))({})).toEqual({ reason: 'DEFAULT' });
  });

  it('tells apart a rule that hit, one that fell through and one that names no variant', () => {
    const rule = { if: [{ '==': [{ var: 'os' }, 'debian'] }, 'on', { var: 'other' }] };
    expect(served(rule, { os: 'debian' })).toEqual({ variant: 'on', value: true, reason: 'TARGETING_MATCH' });
    expect(served(rule, { os: 'fedora' })).toEqual({ variant: 'off', value: false, reason: 'DEFAULT' });
    expect(served(rule, { os: 'fedora', other: 'purple' })).toMatchObject({
      reason: 'ERROR',
      errorCode: 'GENERAL',
    });
  });

  it('takes a boolean result as the name of a variant', () => {
    expect(served({ '==': [1, 1] })).toMatchObject({ variant: 'true', value: 'yes' });
  });

  it('reports SPLIT only when a bucket decided', () => {
    const rule = {
      if: [
        { '==': [{ var: 'os' }, 'debian'] },
        'on',
        {
          fractional: [
            ['on', 1],
            ['off', 0],
          ],
        },
      ],
    };
    expect(served(rule, { os: 'debian', targetingKey: 'k' }).reason).toBe('TARGETING_MATCH');
    expect(served(rule, { os: 'fedora', targetingKey: 'k' })).toMatchObject({
      variant: 'on',
      reason: 'SPLIT',
    });
    expect(served(rule, { os: 'fedora' }).reason).toBe('DEFAULT');
  });

  it('lets a flag’s own rules go before its rollout, whatever they answer, false and 0 included', () => {
    const under = (own: unknown) =>
      compileFlag({
        key: 'path',
        state: 'ENABLED',
        variants: { on: 1, off: 2, false: 3, '0': 4 },
        defaultVariant: 'off',
        // As libs/domain compiles a rollout around own rules.
        targeting: {
          if: [{ '!==': [own, null] }, own, { fractional: ['k', ['on', 1_000_000], ['off', 0]] }],
        },
      })({});
    expect(under({ '==': [1, 2] })).toMatchObject({ variant: 'false', reason: 'TARGETING_MATCH' });
    expect(under({ '+': [0] })).toMatchObject({ variant: '0', reason: 'TARGETING_MATCH' });
    expect(under({ if: [false, 'off'] })).toMatchObject({ variant: 'on', reason: 'SPLIT' });
    // The control: loose comparison takes false and 0 for no answer.
    const loose = { if: [{ '!=': [{ '==': [1, 2] }, null] }, 'false', 'on'] };
    expect(compileFlag(flag({ targeting: loose }))({}).variant).toBe('on');
  });

  it.each([
    ['an operator that does not exist', { shout: ['a'] }],
    ['two operators at once', { if: [true, 'on'], and: [] }],
    ['a rule nested without end', Array.from({ length: 300 }).reduce((rule) => ({ '!': [rule] }), true)],
    ['a name that is no own operator', { constructor: ['a'] }],
  ])('answers PARSE_ERROR for %s', (_, targeting) => {
    expect(served(targeting)).toMatchObject({ reason: 'ERROR', errorCode: 'PARSE_ERROR' });
  });

  it('bounds what a hostile rule can cost', () => {
    const many = Array.from({ length: 60 }, (_, i) => i);
    const twice = (operator: string) => ({ [operator]: [{ var: 'accumulator' }, { var: 'accumulator' }] });
    const doubling = { reduce: [{ var: 'many' }, twice('cat'), 'x'] };
    const growing = { reduce: [{ var: 'many' }, twice('merge'), [1]] };
    const nested = { map: [{ var: 'cube' }, { map: [{ var: '' }, { map: [{ var: '' }, 1] }] }] };
    const context = { many, cube: Array(60).fill(Array(60).fill(many)) };
    for (const rule of [doubling, nested, growing]) {
      expect(served({ if: [rule, 'on'] }, context)).toMatchObject({ reason: 'ERROR', errorCode: 'GENERAL' });
    }
    // parts that are constant fail when the flag is compiled
    const written = { reduce: [many, twice('cat'), 'x'] };
    expect(served({ if: [written, 'on', 'off'] })).toMatchObject({ errorCode: 'PARSE_ERROR' });
  });

  it('compiles a rule in the time of its size, however its operators are nested', () => {
    const shapes: ((inner: unknown) => unknown)[] = [
      (inner) => ({ '-': [inner] }),
      (inner) => ({ '+': [inner, 1] }),
      (inner) => ({ '<': [0, inner, 1] }),
      (inner) => ({ '==': [1, inner] }),
      (inner) => ({ and: [inner, true] }),
      (inner) => ({ if: [inner, 'on'] }),
      (inner) => ({ if: [true, 'on', inner] }),
      (inner) => ({ cat: [inner] }),
      (inner) => ({ fractional: [inner, ['on', 1]] }),
      (inner) => ({ fractional: [{ merge: [inner, 1] }, ['on', 1]] }),
      (inner) => ({ all: [[1], inner] }),
      (inner) => ({ reduce: [[1], inner, 0] }),
      (inner) => ({ filter: [[1], inner] }),
      (inner) => ({ in: [inner, { var: 'b' }] }),
      (inner) => ({ var: ['a', inner] }),
    ];
    for (const outer of [...shapes, (inner: unknown) => inner]) {
      for (const shape of shapes) {
        const nested = Array.from({ length: 90 }).reduce<unknown>((inner) => shape(inner), { var: 'a' });
        expect(served(outer(nested), { a: 1, targetingKey: 'k' }).reason).toEqual(expect.any(String));
      }
    }
  });

  it('does not let a rule reach what a context inherits', () => {
    for (const name of ['constructor', '__proto__', 'toString', '__proto__.constructor', 'a.constructor']) {
      expect(served({ if: [{ '===': [{ var: name }, null] }, 'on', 'off'] }, { a: {} }).variant).toBe('on');
    }
  });

  it('never throws, whatever the rule and the context', () => {
    const rule = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5, withCrossShrink: true },
        fc.jsonValue({ maxDepth: 1 }),
        fc
          .tuple(fc.constantFrom(...OPERATORS), fc.array(tie('node'), { maxLength: 4 }))
          .map(([name, args]) => ({
            [name]: args,
          })),
        fc.tuple(fc.constantFrom(...OPERATORS), tie('node')).map(([name, arg]) => ({ [name]: arg })),
      ),
    })).node;
    fc.assert(
      fc.property(rule, fc.object({ maxDepth: 2 }), (targeting, context) => {
        const evaluation = served(targeting, context);
        expect(['STATIC', 'TARGETING_MATCH', 'SPLIT', 'DEFAULT', 'ERROR']).toContain(evaluation.reason);
      }),
      { numRuns: 3_000 },
    );
  });

  it('reads the clock that it was handed, and null without one', () => {
    const targeting = { if: [{ '>': [{ var: '$flagd.timestamp' }, 100] }, 'on', 'off'] };
    expect(compileFlag(flag({ targeting }), { now: () => 101_999 })({}).variant).toBe('on');
    expect(compileFlag(flag({ targeting }), { now: () => 99_999 })({}).variant).toBe('off');
    expect(compileFlag(flag({ targeting }))({}).variant).toBe('off');
  });

  it('evaluates a document or a compiled flag alike', () => {
    const document = flag({ targeting: { if: [{ var: 'a' }, 'on'] } });
    expect(evaluate(document, { a: 1 })).toEqual(evaluate(compileFlag(document), { a: 1 }));
  });
});
