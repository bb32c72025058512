import type { FlagDefinition, JsonValue, SegmentDefinition } from '@headgate/contracts';
import fc from 'fast-check';
import { FLAG_FILE_SCHEMA, type FlagFile } from './flag-file.js';

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,12}$/);
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
const ppm = fc.integer({ min: 0, max: 1_000_000 });
const instant = fc.integer({ min: 0, max: 8_000_000_000_000 });
/** JSON has no -0, and a file has no `__proto__`. */
const json = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'p')) as JsonValue);

const some = <T extends object>(record: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(record, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

const serveOf = (variant: fc.Arbitrary<string>): fc.Arbitrary<NonNullable<FlagDefinition['fallthrough']>> => {
  const bucketing = some({ seed: name, bucketBy: name });
  const end = fc.record({ at: instant, weightPpm: ppm });
  return fc.oneof(
    fc.record({ variant }),
    fc.tuple(variant, variant, ppm, bucketing).map(([first, second, weightPpm, rest]) => ({
      split: [
        { variant: first, weightPpm },
        { variant: second, weightPpm: 1_000_000 - weightPpm },
      ],
      ...rest,
    })),
    fc
      .tuple(variant, fc.option(variant, { nil: undefined }), end, end, bucketing)
      .map(([first, rest, from, to, bucket]) => ({
        ramp: { variant: first, ...(rest === undefined ? {} : { rest }), from, to },
        ...bucket,
      })),
  );
};

const variantsOf: fc.Arbitrary<Record<string, JsonValue>> = fc.oneof(
  fc.constant({ on: true, off: false }),
  ...[
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    fc.dictionary(name, json),
  ].map((value) => fc.dictionary(name, value as fc.Arbitrary<JsonValue>, { minKeys: 1, maxKeys: 4 })),
);

/** What flagd deals with as it is: the rest is Headgate's own. */
const flagdDefinition = variantsOf.chain((variants) =>
  fc
    .tuple(
      fc.constantFrom('ENABLED' as const, 'DISABLED' as const),
      some<Partial<FlagDefinition>>({
        defaultVariant: fc.option(fc.constantFrom(...Object.keys(variants)), { nil: null }),
        targeting: json,
        metadata: fc.dictionary(name, fc.oneof(fc.string({ maxLength: 20 }), fc.integer(), fc.boolean())),
      }),
    )
    .map(([state, rest]) => ({ state, variants, overridable: 'none', ...rest }) as FlagDefinition),
);

/** Segments do not nest. */
const ownCondition = fc.oneof(
  fc.tuple(name, name).map(([attribute, value]): JsonValue => ({ '==': [{ var: attribute }, value] })),
  fc
    .tuple(name, fc.array(name))
    .map(([attribute, values]): JsonValue => ({ in: [{ var: attribute }, values] })),
);
const condition = fc.oneof(
  ownCondition,
  fc.constant<JsonValue>({ $ref: 'beta' }),
  fc.constant<JsonValue>(true),
);

const richDefinition = flagdDefinition.chain(({ targeting: _, ...flag }) => {
  const variant = fc.constantFrom(...Object.keys(flag.variants));
  const serve = serveOf(variant);
  return some<Partial<FlagDefinition>>({
    rules: fc.array(
      fc
        .tuple(some({ name: text }), condition, serve)
        .map(([own, when, to]) => ({ ...own, when, serve: to })),
      {
        maxLength: 3,
      },
    ),
    fallthrough: serve,
    schedule: fc.array(fc.record({ at: instant, serve }), { minLength: 1, maxLength: 2 }),
    prerequisites: fc.constant([{ flag: 'gate', variants: ['on'] }]),
    seed: name,
    overridable: fc.constantFrom('none' as const, 'vendor' as const, 'site' as const),
    bounds: some({ min: fc.integer(), maxWeightPpm: ppm, variants: fc.tuple(variant) }),
    type: fc.constantFrom('release' as const, 'kill-switch' as const),
    description: text,
    tags: fc.array(text, { maxLength: 3 }),
    expires: instant,
    owner: text,
  }).map((rest) => ({ ...flag, ...rest }) as FlagDefinition);
});

const fileOf = (
  definition: fc.Arbitrary<FlagDefinition>,
  segment: fc.Arbitrary<SegmentDefinition>,
): fc.Arbitrary<FlagFile> =>
  fc
    .tuple(
      some({
        metadata: fc.dictionary(name, fc.oneof(fc.string(), fc.integer(), fc.boolean())),
        segments: fc.dictionary(name, segment, { maxKeys: 3 }),
      }),
      fc.dictionary(name, definition, { maxKeys: 4 }),
    )
    .map(([rest, flags]) => ({ schema: FLAG_FILE_SCHEMA, ...rest, flags }) as FlagFile);

/** Any file that says only what flagd says too. */
export const flagdFiles = fileOf(
  flagdDefinition,
  json.map((when) => ({ when })),
);

const GATE: FlagDefinition = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'on',
  overridable: 'none',
};
const BETA: SegmentDefinition = { when: { in: [{ var: 'targetingKey' }, ['a', 'b']] } };

/** Any file: rules, splits, ramps, schedules, prerequisites, segments. */
export const flagFiles = fileOf(
  richDefinition,
  ownCondition.map((when) => ({ when })),
).map(
  (file): FlagFile => ({
    ...file,
    segments: { ...file.segments, beta: BETA },
    flags: { ...file.flags, gate: GATE },
  }),
);
