import type { JsonValue, Serve, TargetingRule } from '@headgate/contracts';
import { type Arm, inPpm, seedFrom } from '../bucketing/choose-seeds.js';
import { unleashVariantTarget } from '../bucketing/theirs.js';
import type { Path } from '../flag-file.js';
import { allOf, anyOf } from '../logic.js';
import type { DraftDefinition, Gathering } from '../source.js';
import { attributeOf } from './condition.js';
import type { StrategyRule } from './strategy-rule.js';
import type { UnleashFeature, UnleashVariant } from './unleash-source.js';

const WHOLE_PPM = 1_000_000;

/** Unleash answers two questions of one feature; here each is a flag. */
export const variantFlagKey = (feature: string): string => `${feature}.variant`;

export const hasVariants = ({ variants, strategies }: UnleashFeature): boolean =>
  variants.length > 0 || strategies.some(({ variants: own }) => (own ?? []).length > 0);

/**
 * The flag that answers `getVariant`: who is not enabled, or gets no variant, is served the default in the code. `rules` are
 * those of the feature, `conditions` what each of them asks in full.
 */
export const variantFlag = (
  feature: UnleashFeature,
  rules: readonly StrategyRule[],
  conditions: readonly JsonValue[],
  gathering: Gathering,
): DraftDefinition => {
  const key = variantFlagKey(feature.name);
  const { path } = feature;
  const all = [...feature.variants, ...rules.flatMap(({ strategy }) => strategy.variants ?? [])];
  const variants = valuesOf(key, all, path, gathering);
  const made: TargetingRule[] = [];
  const blocked: JsonValue[] = [];
  const strategies =
    feature.strategies.length === 0
      ? [{ when: true as JsonValue, own: [], groupId: feature.name, stickiness: '', at: path }]
      : rules.map(asSource(conditions));
  for (const { when, own, groupId, stickiness, at } of strategies) {
    const chosen = own.length > 0 ? own : feature.variants;
    const drawn =
      own.length > 0
        ? { groupId, stickiness: own[0]?.stickiness || stickiness }
        : { groupId: feature.name, stickiness: chosen[0]?.stickiness || '' };
    const guard = allOf([
      ...(when === true ? [] : [when]),
      ...blocked.map((condition): JsonValue => ({ '!': [condition] })),
    ]);
    const total = chosen.reduce((sum, { weight }) => sum + weight, 0);
    if (total <= 0) {
      // The first strategy that is met decides, even if it gives no variant.
      blocked.push(when);
      continue;
    }
    made.push(...overrides(chosen, guard), {
      when: guard,
      serve: splitOf(key, chosen, drawn, at, gathering),
    });
  }
  return { state: feature.isEnabled ? 'ENABLED' : 'DISABLED', variants, ...simplified(made) };
};

interface Source {
  readonly when: JsonValue;
  readonly own: readonly UnleashVariant[];
  readonly groupId: string;
  readonly stickiness: string;
  readonly at: Path;
}

const asSource =
  (conditions: readonly JsonValue[]) =>
  ({ strategy }: StrategyRule, i: number): Source => ({
    when: conditions[i] ?? false,
    own: strategy.variants ?? [],
    groupId: strategy.parameters?.groupId ?? '',
    stickiness: strategy.parameters?.stickiness ?? '',
    at: strategy.path,
  });

/** A last rule that everybody meets reads better as what the others fall through to. */
const simplified = (rules: readonly TargetingRule[]): { rules?: TargetingRule[]; fallthrough?: Serve } => {
  const end = rules.findIndex(({ when }) => when === true);
  if (end < 0) return rules.length > 0 ? { rules: [...rules] } : {};
  const before = rules.slice(0, end);
  const { serve } = rules[end] as TargetingRule;
  return { ...(before.length > 0 ? { rules: before } : {}), fallthrough: serve };
};

const overrides = (variants: readonly UnleashVariant[], guard: JsonValue): readonly TargetingRule[] =>
  variants.flatMap(({ name, overrides: own }) => {
    const met = (own ?? []).map(
      ({ contextName, values }): JsonValue => ({ in: [{ var: attributeOf(contextName) }, [...values]] }),
    );
    if (met.length === 0) return [];
    return [{ when: allOf([...(guard === true ? [] : [guard]), anyOf(met)]), serve: { variant: name } }];
  });

const splitOf = (
  flag: string,
  variants: readonly UnleashVariant[],
  { groupId, stickiness: wanted }: { readonly groupId: string; readonly stickiness: string },
  path: Path,
  { drop, options, seed, split }: Gathering,
): Serve => {
  const stickiness = wanted || 'default';
  if (stickiness === 'random')
    drop(
      flag,
      path,
      'Unleash draws anew at every evaluation; here the targeting key decides',
      'Nothing to do, unless redrawing was wanted.',
    );
  const bucketBy =
    stickiness === 'default' || stickiness === 'random' ? 'targetingKey' : attributeOf(stickiness);
  const ppm = inPpm(variants.map(({ weight }) => weight));
  const arms: readonly Arm[] = variants.map(({ name }, i) => ({ variant: name, weightPpm: ppm[i] ?? 0 }));
  // Everybody gets it, with or without anything to be bucketed by.
  const whole = arms.find(({ weightPpm }) => weightPpm === WHOLE_PPM);
  if (whole) return { variant: whole.variant };
  const group = `variants ${groupId}`;
  // Never the rollout's own seed: those who are in it would then all be in the first arms.
  const chosen = seed(group, seedFrom(options.isSeedCompatible ? `${groupId}/variants` : flag));
  const total = variants.reduce((sum, { weight }) => sum + weight, 0);
  split(
    {
      flag,
      group,
      seed: chosen,
      arms,
      theirs: (key) => {
        const target = unleashVariantTarget(groupId, key, total);
        let sum = 0;
        for (const { name, weight } of variants) {
          sum += weight;
          if (weight > 0 && sum >= target) return name;
        }
        return '';
      },
    },
    path,
  );
  return {
    split: [...arms],
    ...(chosen === flag ? {} : { seed: chosen }),
    ...(bucketBy === 'targetingKey' ? {} : { bucketBy }),
  };
};

/** One type for all of them: numbers or objects where all payloads are, else texts; without a payload the name itself. */
const valuesOf = (
  flag: string,
  variants: readonly UnleashVariant[],
  path: Path,
  { drop }: Gathering,
): Readonly<Record<string, JsonValue>> => {
  const entries = variants.map(({ name, payload }) => [name, payload] as const);
  const first = new Map<string, UnleashVariant['payload']>();
  for (const [name, payload] of entries) {
    const known = first.get(name);
    if (first.has(name) && JSON.stringify(known) !== JSON.stringify(payload))
      drop(
        flag,
        path,
        `the variant "${name}" has two payloads; the first one is kept`,
        'Give them two names.',
      );
    else first.set(name, payload);
  }
  const payloads = [...first.values()];
  const all = (type: string): boolean => payloads.every((payload) => payload?.type === type);
  const texts = Object.fromEntries([...first].map(([name, payload]) => [name, payload?.value ?? name]));
  if (all('number')) {
    const numbers = Object.entries(texts).map(([name, value]) => [name, Number(value)] as const);
    if (numbers.every(([, value]) => Number.isFinite(value))) return Object.fromEntries(numbers);
  }
  if (all('json')) {
    const objects = Object.entries(texts).map(([name, value]) => [name, objectIn(value)] as const);
    if (objects.every(([, value]) => value !== undefined))
      return Object.fromEntries(objects) as Record<string, JsonValue>;
  }
  if (!all('string') && payloads.some((payload) => payload))
    drop(
      flag,
      path,
      'the payloads have several types, or are no JSON objects; all are kept as texts',
      'Read them as texts, or give them one type.',
    );
  return texts;
};

const objectIn = (text: string): JsonValue | undefined => {
  try {
    const value = JSON.parse(text) as JsonValue;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
};
