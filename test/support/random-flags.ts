import type { FlagDocument, JsonValue } from '@headgate/contracts';
import fc from 'fast-check';

/** A flag as clients of every door can evaluate it: rules over attributes that the caller brings, splits, any kind of value. */
export type RandomFlag = Pick<FlagDocument, 'state' | 'variants' | 'defaultVariant' | 'targeting'>;

export interface RandomContext {
  readonly targetingKey: string;
  readonly [attribute: string]: string | number | boolean | readonly string[];
}

const text = fc.constantFrom('eu', 'us', 'ap', 'gold', 'free', '1.4.0', '1.10.2-rc.1', '', 'ä', '日本');
const read = fc
  .constantFrom('region', 'release', 'plan', 'missing')
  .map((name): JsonValue => ({ var: name }));
const tier: JsonValue = { var: 'tier' };
const level = fc.integer({ min: -1, max: 10 });

/**
 * Like is compared with like: a text with a number is an error at evaluation, which every door answers with the code's default,
 * but which flagd's RPC client first tries again for seconds.
 */
const condition: fc.Arbitrary<JsonValue> = fc.letrec<{ node: JsonValue }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc
      .tuple(fc.constantFrom('==', '===', '!=', '!=='), read, fc.oneof(text, read))
      .map(([name, left, right]): JsonValue => ({ [name]: [left, right] })),
    fc
      .tuple(fc.constantFrom('==', '!=', '<', '<=', '>', '>='), level)
      .map(([name, bound]): JsonValue => ({ [name]: [tier, bound] })),
    fc.tuple(read, fc.array(text, { maxLength: 4 })).map(([left, list]): JsonValue => ({ in: [left, list] })),
    fc
      .tuple(fc.constantFrom('starts_with', 'ends_with'), read, text)
      .map(([name, left, right]): JsonValue => ({ [name]: [left, right] })),
    fc
      .tuple(
        fc.constantFrom('=', '!=', '<', '<=', '>', '>=', '^', '~'),
        fc.constantFrom('1.4.0', '1.10.0', '2.0.0'),
      )
      .map(([name, bound]): JsonValue => ({ sem_ver: [{ var: 'release' }, name, bound] })),
    fc
      .tuple(fc.constantFrom('and', 'or'), fc.array(tie('node'), { minLength: 1, maxLength: 3 }))
      .map(([name, nodes]): JsonValue => ({ [name]: nodes })),
    tie('node').map((node): JsonValue => ({ '!': [node] })),
  ),
})).node;

const serveOf = (names: readonly string[]): fc.Arbitrary<JsonValue> =>
  fc.oneof(
    fc.constantFrom(...names),
    fc.constant(null),
    fc
      .tuple(
        fc.constantFrom<JsonValue>(
          { cat: ['seed-1', { var: 'targetingKey' }] },
          { cat: [{ var: '$flagd.flagKey' }, { var: 'plan' }] },
          null,
        ),
        fc.array(fc.tuple(fc.constantFrom(...names), fc.integer({ min: 0, max: 1_000_000 })), {
          minLength: 1,
          maxLength: 4,
        }),
      )
      .map(([key, arms]): JsonValue => ({ fractional: key === null ? arms : [key, ...arms] })),
  );

const valuesOf = {
  boolean: fc.constantFrom<readonly JsonValue[]>([true, false], [false, true]),
  string: fc.constant<readonly JsonValue[]>(['a', 'b', '']),
  number: fc.constant<readonly JsonValue[]>([1, 2.5, -3]),
  object: fc.constant<readonly JsonValue[]>([{ size: 1 }, { size: 2, list: ['x'] }]),
};

export const randomFlag: fc.Arbitrary<RandomFlag> = fc
  .constantFrom('boolean', 'string', 'number', 'object' as const)
  .chain((kind) => valuesOf[kind as keyof typeof valuesOf])
  .chain((values) => {
    const names = values.map((_, i) => `v${i}`);
    const rule = fc
      .tuple(fc.array(fc.tuple(condition, serveOf(names)), { maxLength: 3 }), serveOf(names))
      .map(([branches, otherwise]): JsonValue => ({ if: [...branches.flat(), otherwise] }));
    return fc.record({
      state: fc.oneof(
        { weight: 9, arbitrary: fc.constant('ENABLED' as const) },
        { weight: 1, arbitrary: fc.constant('DISABLED' as const) },
      ),
      variants: fc.constant(Object.fromEntries(values.map((value, i) => [`v${i}`, value]))),
      defaultVariant: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...names) },
        { weight: 1, arbitrary: fc.constant(null) },
      ),
      targeting: fc.oneof({ weight: 5, arbitrary: rule }, { weight: 1, arbitrary: fc.constant({}) }),
    });
  });

/** Attributes that no client adds of its own, so that every door sees the same context. */
export const randomContext: fc.Arbitrary<RandomContext> = fc
  .record(
    {
      targetingKey: fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.uuid()),
      region: text,
      tier: fc.integer({ min: -1, max: 10 }),
      release: fc.constantFrom('1.3.9', '1.4.0', 'v1.10.2', '2.0.0-beta', 'none'),
      plan: fc.constantFrom('gold', 'free'),
      groups: fc.array(text, { maxLength: 3 }),
    },
    { requiredKeys: ['targetingKey'] },
  )
  .map((context) => context as RandomContext);
