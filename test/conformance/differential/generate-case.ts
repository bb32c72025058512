import fc from 'fast-check';
import { rule, value, version } from './generate-rule.js';

export type FlagType = 'boolean' | 'string' | 'number' | 'object';

/** One flagd document of one flag, and a context to ask it with. */
export interface DifferentialCase {
  readonly document: {
    readonly $evaluators: Readonly<Record<string, unknown>>;
    readonly flags: Readonly<Record<string, DifferentialFlag>>;
  };
  readonly key: string;
  readonly context: Readonly<Record<string, unknown>>;
  /** What the caller asks for, seldom another type than the flag has. */
  readonly type: FlagType;
}

export interface DifferentialFlag {
  readonly state: 'ENABLED' | 'DISABLED';
  readonly variants: Readonly<Record<string, unknown>>;
  readonly defaultVariant?: string | null;
  readonly targeting?: unknown;
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
}

const VARIANTS: Readonly<Record<FlagType, Readonly<Record<string, unknown>>>> = {
  boolean: { on: true, off: false, true: true, false: false },
  string: { on: 'yes', off: '', red: '#f00', '5': 'five', 'a,b': 'list' },
  number: { on: 1, off: 0, '0': 0, null: 7, '5': 0.5 },
  object: { on: { a: [1] }, off: {}, true: { x: null }, abc: { deep: { er: 1 } } },
};
const TYPES = ['boolean', 'string', 'number', 'object'] as const;

const context = fc.record(
  {
    targetingKey: fc.oneof(
      { weight: 8, arbitrary: fc.string({ maxLength: 40 }) },
      { weight: 1, arbitrary: value },
    ),
    a: value,
    b: value,
    n: fc.oneof(fc.integer(), value),
    list: fc.oneof(
      { weight: 3, arbitrary: fc.array(value, { maxLength: 4 }) },
      { weight: 1, arbitrary: value },
    ),
    rows: fc.array(fc.record({ name: value, age: value }, { requiredKeys: [] }), { maxLength: 3 }),
    user: fc.oneof(fc.record({ name: value, age: value }, { requiredKeys: [] }), value),
    version: fc.oneof({ weight: 4, arbitrary: version }, { weight: 1, arbitrary: value }),
    é: value,
  },
  { requiredKeys: [] },
);

const targeting = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 3 }).chain((depth) => rule(depth)) },
  {
    // results that name variants, as rules are written
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.array(rule(2), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('on', 'off', null),
        fc.boolean(),
      )
      .map(([conditions, end, hasElse]) => ({
        if: [
          ...conditions.flatMap((condition, i) => [condition, i % 2 ? 'off' : 'on']),
          ...(hasElse ? [end] : []),
        ],
      })),
  },
  {
    weight: 2,
    arbitrary: rule(2).map((own) => ({
      if: [
        { '!==': [own, null] },
        own,
        {
          fractional: [
            ['on', 1],
            ['off', 3],
          ],
        },
      ],
    })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('shared', 'other'), rule(1))
      .map(([$ref, other]) => ({ if: [{ $ref }, 'on', other] })),
  },
  { weight: 1, arbitrary: fc.constant({}) },
);

export const differentialCase: fc.Arbitrary<DifferentialCase> = fc
  .record({
    key: fc.constantFrom('flag', 'a.b/c', 'schlüssel', 'f'),
    own: fc.constantFrom(...TYPES),
    asked: fc.option(fc.constantFrom(...TYPES), { freq: 8 }),
    state: fc.oneof(
      { weight: 15, arbitrary: fc.constant('ENABLED' as const) },
      { weight: 1, arbitrary: fc.constant('DISABLED' as const) },
    ),
    defaultVariant: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('on', 'off') },
      { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
    ),
    targeting: fc.option(targeting, { freq: 20, nil: undefined }),
    metadata: fc.option(
      fc.dictionary(fc.constantFrom('team', 'level'), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
      { nil: undefined },
    ),
    shared: rule(1).filter(
      (made) => made !== null && typeof made === 'object' && !/\$[$&`']/.test(JSON.stringify(made)),
    ),
    context,
  })
  .map(({ key, own, asked, state, defaultVariant, targeting: made, metadata, shared, context: given }) => ({
    key,
    type: asked ?? own,
    context: given,
    document: {
      $evaluators: { shared },
      flags: {
        [key]: {
          state,
          variants: VARIANTS[own],
          ...(defaultVariant === undefined ? {} : { defaultVariant }),
          ...(made === undefined ? {} : { targeting: made }),
          ...(metadata === undefined ? {} : { metadata }),
        },
      },
    },
  }))
  .map(plain);

/**
 * As the same case looks after a wire: plain objects. Where buckets are used, ASCII alone, because flagd-core's buckets of
 * other texts are its own (see `EXCLUSIONS`).
 */
function plain(sample: DifferentialCase): DifferentialCase {
  const text = JSON.stringify(sample);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with them
  return JSON.parse(text.includes('"fractional"') ? text.replaceAll(/[^\u0000-\u007f]/gu, 'u') : text);
}
