import { type FlagDefinition, flagDefinition, type JsonValue } from '@headgate/contracts';
import { compileFlag, OPERATORS } from '@headgate/evaluation';
import { MemoryStorage } from '@openfeature/flagd-core';
import fc from 'fast-check';
import { checkDefinition } from './check-definition.js';
import { compileTargeting } from './compile-targeting.js';
import type { CompilableFlag, Surroundings } from './surroundings.js';

const SEED = Number(process.env.HEADGATE_SEED ?? 20_261_121);
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A door that everything has to pass before it is published; throws where flagd’s own JSON Schema or parser would not have it. */
const passFlagd = (document: object): void => {
  const storage = new MemoryStorage(silent, { disableDynamicCodeGeneration: true });
  storage.setConfigurations(JSON.stringify({ flags: { path: document } }), true);
};

const names = ['on', 'off', 'true', 'x'] as const;
const name = fc.constantFrom<string>(...names, 'nobody');
const leaf: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>('on', 'off', 'true', '1.0.0', '>=', '', null, true, false, 0, 1, 0.5, -3),
  fc.constantFrom<JsonValue>(
    { var: 'a' },
    { var: 'targetingKey' },
    { var: '$flagd.timestamp' },
    { $ref: 'insiders' },
  ),
  fc.constantFrom<JsonValue>({}, [], { var: '$flagd.nothing' }, { $ref: 'nobody' }, { on: true, off: false }),
);
/** What looks like a rule: most of it is one, some of it is not. */
const rule: fc.Arbitrary<JsonValue> = fc.letrec<{ node: JsonValue; call: JsonValue }>((tie) => ({
  call: fc
    .tuple(
      fc.oneof(
        { weight: 30, arbitrary: fc.constantFrom(...OPERATORS, 'if', 'if', 'and', '==', 'in', 'fractional') },
        { weight: 1, arbitrary: fc.constantFrom('shout', '__proto__', 'constructor') },
      ),
      fc.oneof(
        { weight: 6, arbitrary: fc.array(tie('node'), { minLength: 1, maxLength: 4 }) },
        {
          weight: 1,
          arbitrary: fc.tuple(
            tie('node'),
            fc.tuple(name, fc.nat({ max: 9 })),
            fc.tuple(name, fc.nat({ max: 9 })),
          ),
        },
        { weight: 1, arbitrary: tie('node') },
      ),
    )
    .map(
      ([operator, args]) => JSON.parse(`{${JSON.stringify(operator)}:${JSON.stringify(args)}}`) as JsonValue,
    ),
  node: fc.oneof({ maxDepth: 4, depthSize: 'small' }, leaf, leaf, tie('call')),
})).node;

const weights = fc.oneof(
  fc.constantFrom(0, 1, 250_000, 500_000, 750_000, 1_000_000),
  fc.nat({ max: 1_000_000 }),
);
const arms = fc.oneof(
  fc.tuple(name, name, weights).map(([a, b, cut]) => [
    { variant: a, weightPpm: cut },
    { variant: b, weightPpm: 1_000_000 - cut },
  ]),
  fc.array(fc.record({ variant: name, weightPpm: weights }), { maxLength: 3 }),
);
const at = fc.constantFrom(1_790_000_000_000, 1_790_000_000_001, 1_790_000_100_000);
const serve = fc.oneof(
  fc.record({ variant: name }),
  fc.record({ split: arms, bucketBy: fc.constantFrom('account', 'user.id') }, { requiredKeys: ['split'] }),
  fc.record({
    ramp: fc.record(
      {
        variant: name,
        rest: name,
        from: fc.record({ at, weightPpm: weights }),
        to: fc.record({ at, weightPpm: weights }),
      },
      { requiredKeys: ['variant', 'from', 'to'] },
    ),
  }),
);
const variants = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom<JsonValue>(
      { on: true, off: false, true: true, x: false },
      { on: 'a', off: 'b', true: 'c', x: 'd' },
      { on: 1, off: 2, true: 3, x: 4 },
      { on: {}, off: { a: 1 }, true: {}, x: {} },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom<JsonValue>({}, { on: true, off: 'no' }, { on: null }, { on: [] }) },
);
const optional = { requiredKeys: ['state', 'variants'] as const };
const written = fc
  .record(
    {
      state: fc.constantFrom('ENABLED', 'DISABLED'),
      variants,
      defaultVariant: fc.oneof(name, fc.constant(null)),
      targeting: rule,
      rules: fc.array(fc.record({ when: rule, serve }), { maxLength: 3 }),
      fallthrough: serve,
      schedule: fc.array(fc.record({ at, serve }), { minLength: 1, maxLength: 3 }),
      prerequisites: fc.array(
        fc.record(
          {
            flag: fc.constantFrom('gate', 'gate', 'other', 'path', 'nobody'),
            variants: fc.uniqueArray(name, { minLength: 1, maxLength: 2 }),
            otherwise: name,
          },
          { requiredKeys: ['flag', 'variants'] },
        ),
        { minLength: 1, maxLength: 2 },
      ),
      seed: fc.constantFrom('s', 'é'),
      metadata: fc.constantFrom({ a: 1, b: 'c', d: true }),
      tags: fc.constant(['t']),
    },
    { requiredKeys: [...optional.requiredKeys] },
  )
  // A flag with everything is never right: most have little.
  .chain((all) =>
    fc
      .subarray(Object.keys(all))
      .map((keys) => ({ state: all.state, variants: all.variants, ...pick(all, keys) })),
  );

const pick = (record: object, keys: readonly string[]): object =>
  Object.fromEntries(Object.entries(record).filter(([key]) => keys.includes(key)));

const base: FlagDefinition = {
  state: 'ENABLED',
  variants: { on: true, off: false, true: true, x: true },
  defaultVariant: 'off',
  overridable: 'none',
};
const flags: readonly CompilableFlag[] = [
  {
    key: 'gate',
    status: 'active',
    split: { rolloutId: 'r', seed: 's', variant: 'on', weightPpm: 10_000 },
    definition: {
      ...base,
      targeting: {
        if: [
          { $ref: 'insiders' },
          true,
          {
            fractional: [
              ['on', 1],
              ['x', 3],
            ],
          },
        ],
      },
    },
  },
  {
    key: 'other',
    status: 'active',
    split: null,
    definition: { ...base, prerequisites: [{ flag: 'gate', variants: ['on'] }] },
  },
];
const around: Surroundings = {
  flag: (key) => flags.find((flag) => flag.key === key),
  segment: (segment) => (segment === 'insiders' ? { in: [{ var: 'team' }, ['a', 'b']] } : undefined),
  attributes: null,
};

describe('nothing invalid can be published', () => {
  it('a definition is refused with its places, or flagd and our evaluator can both read what it compiles to', () => {
    const seen = { refused: 0, published: 0, targeted: 0 };
    fc.assert(
      fc.property(written, (made) => {
        const parsed = flagDefinition.safeParse(made);
        if (!parsed.success) {
          seen.refused += 1;
          expect(parsed.error.issues.length).toBeGreaterThan(0);
          return;
        }
        const definition = parsed.data;
        const problems = checkDefinition(definition, 'path', around);
        if (problems.length > 0) {
          seen.refused += 1;
          for (const { path, code, message } of problems) {
            expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
            expect(message.length).toBeGreaterThan(10);
            expect(path === '' || Object.hasOwn(definition, path.split('.')[0] ?? '')).toBe(true);
          }
          return;
        }
        seen.published += 1;
        const flag: CompilableFlag = { key: 'path', status: 'active', split: null, definition };
        const { targeting, defaultVariant } = compileTargeting(flag, around);
        if (targeting !== undefined) seen.targeted += 1;
        const { state, metadata = {} } = definition;
        const document = {
          state,
          variants: definition.variants,
          defaultVariant,
          metadata,
          ...(targeting === undefined ? {} : { targeting }),
        };
        passFlagd(document);
        const evaluate = compileFlag({ key: 'path', ...document }, { now: () => 1_790_000_050_000 });
        for (const context of [
          {},
          { targetingKey: 'k', account: 'a', team: 'a', a: 1 },
          { targetingKey: '', a: null, account: 0 },
        ]) {
          const { errorCode, errorMessage } = evaluate(context);
          expect({ errorCode, errorMessage }).not.toMatchObject({ errorCode: 'PARSE_ERROR' });
        }
      }),
      { numRuns: Number(process.env.HEADGATE_RUNS ?? 3_000), seed: SEED },
    );
    expect(seen.published).toBeGreaterThan(200);
    expect(seen.targeted).toBeGreaterThan(80);
    expect(seen.refused).toBeGreaterThan(600);
  }, 120_000);

  it('and flagd’s door does refuse what ours refuses (control)', () => {
    const variants = { on: true, off: false };
    expect(() =>
      passFlagd({ state: 'ENABLED', variants, targeting: { if: [{ var: 'a' }, 'on', null] } }),
    ).not.toThrow();
    for (const targeting of ['on', { if: [{}, 'on'] }, { if: [{ shout: 1 }, 'on'] }, { $ref: 'nobody' }])
      expect(() => passFlagd({ state: 'ENABLED', variants, targeting })).toThrow();
    expect(() => passFlagd({ state: 'ENABLED', variants: { on: true, off: 'no' } })).toThrow();
  });
});
