import { FlagdCore, MemoryStorage } from '@openfeature/flagd-core';
import fc from 'fast-check';
import { fuzzRun } from '../../../../test/support/fuzz-run.js';
import { FlagEntry } from './compiled-flag.js';
import type { FlagdFlag } from './flagd-flag.js';
import { checkFlagdFlag } from './flagd-schema.js';

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** Whether flagd's own JSON Schema, as its Node library carries it, takes a document with this flag; and its structural checks. */
const schemaTakes = (flag: unknown): boolean => {
  try {
    new MemoryStorage(quiet).setConfigurations(JSON.stringify({ flags: { f: flag } }), true);
    return true;
  } catch {
    return false;
  }
};

const on = (targeting: unknown): FlagdFlag => ({
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  targeting,
});

describe('checkFlagdFlag', () => {
  it.each([
    ['a state that flagd does not know', { ...on({}), state: 'enabled' }, 'state'],
    ['no variants', { ...on({}), variants: {} }, 'no variants'],
    [
      'variants of several types',
      { ...on({}), variants: { on: true, off: 'no' } },
      'several types: boolean, string',
    ],
    ['variants that are lists', { ...on({}), variants: { on: [], off: [] } }, 'type array'],
    ['a default that is no variant', { ...on({}), defaultVariant: 'maybe' }, '"maybe"'],
    ['metadata that are not flat', { ...on({}), metadata: { a: { b: 1 } } }, 'not flat'],
    ['targeting that is no operator', on('on'), 'of type string'],
    [
      'an operator that does not exist',
      on({ if: [{ regex: ['a', 'b'] }, 'on'] }),
      'targeting.if[0] uses "regex"',
    ],
    ['a version that is not one', on({ sem_ver: [{ var: 'v' }, '>=', '1.2'] }), 'targeting.sem_ver[2]'],
    [
      'a share of less than nothing',
      on({
        fractional: [
          ['on', -1],
          ['off', 1],
        ],
      }),
      'fractional[0][1]',
    ],
    ['a word under $flagd that is not provided', on({ var: '$flagd.user' }), '"$flagd.user"'],
  ])('names the place of %s', (_, flag, place) => {
    expect(checkFlagdFlag(flag as FlagdFlag)).toContain(place);
    expect(schemaTakes(flag)).toBe(false);
  });

  it('takes what our own compiler makes of rollouts and ramps', () => {
    const ramp = { '-': [{ var: '$flagd.timestamp' }, 1_800_000_000] };
    const flag = on({
      if: [
        { '>=': [{ var: '$flagd.timestamp' }, 1_800_000_000] },
        { fractional: [{ cat: ['seed', { var: 'targetingKey' }] }, ['on', { max: [0, ramp] }], [null, 10]] },
        null,
      ],
    });
    expect([checkFlagdFlag(flag), schemaTakes(flag)]).toEqual([null, true]);
  });

  const literal = fc.constantFrom<unknown>(
    null,
    true,
    0,
    1,
    -1,
    1.5,
    '',
    'on',
    '1.2.3',
    '1.2',
    '=',
    '^',
    'v',
    '$flagd.x',
  );
  const name = fc.constantFrom(
    ...[
      '==',
      '===',
      '!=',
      '!==',
      '>',
      '>=',
      '%',
      '/',
      'map',
      'filter',
      'all',
      'none',
      'some',
      'in',
      'substr',
      '<',
      '<=',
    ],
    ...[
      'reduce',
      '*',
      'if',
      'or',
      'and',
      '+',
      '-',
      'max',
      'min',
      'merge',
      'cat',
      '!',
      '!!',
      'starts_with',
      'ends_with',
    ],
    ...['missing', 'missing_some', 'var', 'sem_ver', 'fractional', '$ref', 'log', 'constructor'],
  );
  const { rule } = fc.letrec<{ rule: unknown; argument: unknown }>((tie) => ({
    argument: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      literal,
      tie('rule'),
      fc.array(tie('argument'), { maxLength: 3 }),
    ),
    rule: fc
      .tuple(
        name,
        fc.oneof(
          { weight: 6, arbitrary: fc.array(tie('argument'), { maxLength: 4 }) },
          { weight: 1, arbitrary: tie('argument') },
        ),
      )
      .map(([operator, args]) => ({ [operator]: args })),
  }));

  it('says of every rule with one operator each what flagd’s JSON Schema says', () => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(rule, (targeting) => {
        const isTaken = checkFlagdFlag(on(targeting)) === null;
        seen[isTaken ? 'taken' : 'refused'] += 1;
        expect([JSON.stringify(targeting), isTaken]).toEqual([
          JSON.stringify(targeting),
          schemaTakes(on(targeting)),
        ]);
      }),
      fuzzRun('the check of flagd flags', 3_000),
    );
    // a generator that makes only one kind would show nothing
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(100);
  });

  it('says of every flag what flagd’s JSON Schema and its structural checks say', () => {
    const value = fc.oneof(literal, fc.constantFrom<unknown>({}, [], { a: 1 }));
    const flag = fc.record(
      {
        state: fc.constantFrom('ENABLED', 'DISABLED', 'on', null),
        variants: fc.dictionary(fc.constantFrom('on', 'off', '', 'x'), value, { maxKeys: 3 }),
        defaultVariant: fc.constantFrom('on', 'x', null),
        metadata: fc.dictionary(fc.constantFrom('a', 'b'), value, { maxKeys: 2 }),
        targeting: fc.constantFrom<unknown>({}, { if: [true, 'on'] }, [], 1),
      },
      { requiredKeys: ['state', 'variants'] },
    );
    fc.assert(
      fc.property(flag, (made) => {
        const ours = checkFlagdFlag(made as FlagdFlag) === null;
        // flagd does not look whether an empty default is a variant; nothing we publish has a variant without a name
        expect([JSON.stringify(made), ours]).toEqual([JSON.stringify(made), schemaTakes(made)]);
      }),
      fuzzRun('the check of whole flagd flags', 1_000),
    );
  });
});

describe('FlagEntry', () => {
  it('leaves out a rule that is nested too deep to be looked at, without looking', () => {
    let targeting: unknown = 'on';
    for (let i = 0; i < 5_000; i += 1) targeting = { '!': targeting };
    const document = { ...on(targeting), key: 'deep' } as never;
    expect(new FlagEntry(document, '', Date.now).flagd).toEqual({
      problem: expect.stringContaining('cannot be read'),
    });
  });

  it('sends a killed flag whatever its targeting is', () => {
    const document = { ...on({ nonsense: 1 }), key: 'killed', state: 'DISABLED' } as never;
    const { flagd } = new FlagEntry(document, '', Date.now);
    expect(flagd).toEqual({ json: expect.stringContaining('"DISABLED"') });
    const core = new FlagdCore(undefined, quiet);
    core.setConfigurations(`{"flags":{${(flagd as { json: string }).json}}}`);
    expect(core.getFlag('killed')?.state).toBe('DISABLED');
  });
});
