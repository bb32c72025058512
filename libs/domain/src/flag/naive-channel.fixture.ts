import type { FlagDefinition, JsonValue, Serve } from '@headgate/contracts';
import { murmur3 } from '@headgate/evaluation';
import fc from 'fast-check';
import type { CompilableFlag, Surroundings } from './surroundings.js';

export interface NaiveChannel {
  readonly flags: ReadonlyMap<string, CompilableFlag>;
  readonly segments: Readonly<Record<string, JsonValue>>;
}

export interface Asked {
  readonly context: { readonly [attribute: string]: JsonValue };
  readonly nowMs: number;
}

export const surroundingsIn = ({ flags, segments }: NaiveChannel): Surroundings => ({
  flag: (key) => flags.get(key),
  segment: (name) => (Object.hasOwn(segments, name) ? segments[name] : undefined),
  attributes: null,
});

/** The variant by the words of the definition, step by step; null: the default in the code. Compiles nothing. */
export const interpret = (key: string, channel: NaiveChannel, asked: Asked): string | null => {
  const flag = channel.flags.get(key);
  if (flag?.status !== 'active' || flag.definition.state !== 'ENABLED') return null;
  const { definition, split } = flag;
  const byDefault = definition.defaultVariant ?? null;
  const give = (serve: Serve) => given(serve, definition.seed ?? key, byDefault, asked);
  for (const { flag: other, variants, otherwise } of definition.prerequisites ?? []) {
    const served = interpret(other, channel, asked);
    if (served === null || !variants.includes(served)) return otherwise ?? null;
  }
  for (const { when, serve } of definition.rules ?? []) {
    const variant = holds(when, channel, asked) ? give(serve) : undefined;
    if (variant !== undefined) return variant;
  }
  const own = definition.targeting === undefined ? null : raw(definition.targeting, key, channel, asked);
  if (own !== null) return own;
  if (split)
    return bucketOf(split.seed + text(asked.context.targetingKey), 1_000_000) < split.weightPpm
      ? split.variant
      : byDefault;
  const due = (definition.schedule ?? []).filter(({ at }) => at <= Math.floor(asked.nowMs / 1_000) * 1_000);
  const standing = due.sort((a, b) => b.at - a.at)[0]?.serve ?? definition.fallthrough;
  return (standing && give(standing)) ?? byDefault;
};

/** Undefined: the context has nothing to be put into a bucket by. */
const given = (serve: Serve, seed: string, byDefault: string | null, { context, nowMs }: Asked) => {
  if ('variant' in serve) return serve.variant;
  const by = context[serve.bucketBy ?? 'targetingKey'];
  if (!by) return undefined;
  const bucket = bucketOf((serve.seed ?? seed) + text(by), 1_000_000);
  if ('split' in serve) {
    let sum = 0;
    for (const { variant, weightPpm } of serve.split) {
      sum += weightPpm;
      if (bucket < sum) return variant;
    }
    return null;
  }
  const { from, to, variant, rest } = serve.ramp;
  const seconds = Math.floor(nowMs / 1_000);
  const passed = Math.min(Math.max(seconds - from.at / 1_000, 0), (to.at - from.at) / 1_000);
  const weight = from.weightPpm + (to.weightPpm - from.weightPpm) * (passed / ((to.at - from.at) / 1_000));
  return bucket < Math.floor(weight) ? variant : (rest ?? byDefault);
};

const bucketOf = (key: string, total: number): number =>
  Number((BigInt(murmur3(key)) * BigInt(total)) >> 32n);

const text = (value: JsonValue | undefined): string => String(value);

type Rule = { readonly [operator: string]: JsonValue };

/** Only the conditions that this file generates. */
const holds = (when: JsonValue, channel: NaiveChannel, asked: Asked): boolean => {
  if (typeof when === 'boolean') return when;
  const [[operator, args] = []] = Object.entries(when as Rule);
  const list = args as readonly JsonValue[];
  const all = () => list.map((one) => holds(one, channel, asked));
  switch (operator) {
    case '$ref':
      return holds(channel.segments[args as string] as JsonValue, channel, asked);
    case 'and':
      return all().every(Boolean);
    case 'or':
      return all().some(Boolean);
    case '!':
      return !all()[0];
    case '===':
      return asked.context[(list[0] as { var: string }).var] === list[1];
    case 'in':
      return (list[1] as readonly JsonValue[]).includes(
        asked.context[(list[0] as { var: string }).var] ?? null,
      );
    default:
      throw new Error(`this spec has no ${operator}`);
  }
};

/** Only the raw rules that this file generates. */
const raw = (rule: JsonValue, key: string, channel: NaiveChannel, asked: Asked): string | null => {
  const { if: branches, fractional } = rule as {
    if?: readonly [JsonValue, JsonValue, null];
    fractional?: readonly (readonly [string, number])[];
  };
  if (branches) return holds(branches[0], channel, asked) ? String(branches[1]) : null;
  if (!fractional) return null;
  if (!asked.context.targetingKey) return null;
  const total = fractional.reduce((sum, [, weight]) => sum + weight, 0);
  const bucket = bucketOf(key + text(asked.context.targetingKey), total);
  let sum = 0;
  for (const [variant, weight] of fractional) {
    sum += weight;
    if (bucket < sum) return variant;
  }
  return null;
};

const VARIANTS = { on: 'on', off: 'off', true: 'yes' };
const variant = fc.constantFrom('on', 'off', 'true');
const START = 1_790_000_000_000;
const moment = fc.integer({ min: START, max: START + 100_000 });
const weight = fc.integer({ min: 0, max: 1_000_000 });

const condition: fc.Arbitrary<JsonValue> = fc.letrec<{ rule: JsonValue }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ '===': fc.tuple(fc.constant({ var: 'plan' }), fc.constantFrom('free', 'paid')) }),
    fc.record({ in: fc.tuple(fc.constant({ var: 'country' }), fc.subarray(['de', 'fr', 'jp'])) }),
    fc.record({ and: fc.tuple(tie('rule'), tie('rule')) }),
    fc.record({ or: fc.tuple(tie('rule'), tie('rule')) }),
    fc.record({ '!': fc.tuple(tie('rule')) }),
  ),
})).rule;
const when = fc.oneof(
  condition,
  fc.constantFrom<JsonValue>({ $ref: 'one' }, { '!': [{ $ref: 'two' }] }, true),
);

const bucketing = {
  seed: fc.option(fc.constantFrom('s1', 's2'), { nil: undefined }),
  bucketBy: fc.option(fc.constant('account'), { nil: undefined }),
};
const serve: fc.Arbitrary<Serve> = fc.oneof(
  fc.record({ variant }),
  fc.record({ a: variant, b: variant, cut: weight, ...bucketing }).map(({ a, b, cut, ...rest }) => ({
    split: [
      { variant: a, weightPpm: cut },
      { variant: b, weightPpm: 1_000_000 - cut },
    ],
    ...defined(rest),
  })),
  fc
    .record({
      variant,
      rest: fc.option(variant, { nil: undefined }),
      at: moment,
      span: fc.integer({ min: 1, max: 50_000 }),
      w0: weight,
      w1: weight,
      ...bucketing,
    })
    .map(({ variant: climbing, rest, at, span, w0, w1, ...others }) => ({
      ramp: {
        variant: climbing,
        ...defined({ rest }),
        from: { at, weightPpm: w0 },
        to: { at: at + span, weightPpm: w1 },
      },
      ...defined(others),
    })),
) as fc.Arbitrary<Serve>;

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** `n` is the flag's number: it needs only flags with lower ones. */
const flag = (n: number): fc.Arbitrary<CompilableFlag> =>
  fc
    .record({
      status: fc.constantFrom('active', 'active', 'active', 'active', 'killed', 'archived'),
      state: fc.constantFrom('ENABLED', 'ENABLED', 'ENABLED', 'ENABLED', 'DISABLED'),
      defaultVariant: fc.option(variant, { nil: null }),
      seed: optional(fc.constant('of-the-flag')),
      rules: optional(fc.array(fc.record({ when, serve }), { maxLength: 3 })),
      targeting: optional(
        fc.oneof(
          fc
            .tuple(when, fc.constantFrom<JsonValue>('on', 'off', true))
            .map(([met, then]) => ({ if: [met, then, null] })),
          fc.constant({
            fractional: [
              ['on', 30],
              ['off', 70],
            ],
          }),
          fc.constant({}),
        ),
      ),
      fallthrough: optional(serve),
      schedule: optional(
        fc
          .uniqueArray(moment, { minLength: 1, maxLength: 3 })
          .chain((times) =>
            fc.tuple(
              ...times.sort((a, b) => a - b).map((at) => serve.map((given) => ({ at, serve: given }))),
            ),
          ),
      ),
      split: fc.option(fc.record({ seed: fc.constant('rollout'), variant, weightPpm: weight }), {
        nil: null,
        freq: 3,
      }),
      prerequisites: optional(
        n === 0
          ? fc.constant(undefined)
          : fc.uniqueArray(
              fc.record({
                flag: fc.nat({ max: n - 1 }).map((i) => `f${i}`),
                variants: fc.uniqueArray(variant, { minLength: 1, maxLength: 2 }),
                otherwise: optional(variant),
              }),
              { minLength: 1, maxLength: 2, selector: (one) => one.flag },
            ),
      ),
    })
    .map(({ status, split, rules, targeting, ...written }) => ({
      key: `f${n}`,
      status: status as CompilableFlag['status'],
      split: split === null ? null : { rolloutId: 'r', ...split },
      definition: defined({
        variants: VARIANTS,
        overridable: 'none',
        ...written,
        // Never both.
        ...(rules && rules.length > 0 ? { rules } : { targeting }),
      }) as unknown as FlagDefinition,
    }));

const defined = (record: object): object =>
  JSON.parse(JSON.stringify(record, (_, value) => (value === undefined ? undefined : value)));

export const naiveChannel: fc.Arbitrary<NaiveChannel> = fc
  .record({ one: condition, two: condition, flags: fc.tuple(...[0, 1, 2, 3].map(flag)) })
  .map(({ one, two, flags }) => ({
    flags: new Map(flags.map((each) => [each.key, each])),
    segments: { one, two },
  }));

/** A rollout's own split has no guard, so everybody has a targeting key; not everybody has an account. */
export const asked: fc.Arbitrary<Asked> = fc.record({
  context: fc
    .record({
      targetingKey: fc.oneof(fc.uuid(), fc.string({ minLength: 1 })),
      account: optional(fc.oneof(fc.uuid(), fc.integer({ min: 1 }))),
      plan: fc.constantFrom('free', 'paid'),
      country: fc.constantFrom('de', 'us'),
    })
    .map((record) => defined(record) as Asked['context']),
  nowMs: fc.integer({ min: START - 10_000, max: START + 150_000 }),
});
