import type { JsonValue } from '@headgate/contracts';
import { z } from 'zod';
import { isFields } from '../definition-form.js';
import type { Path } from '../flag-file.js';

type Fields = Readonly<Record<string, JsonValue>>;

/** What of Unleash's documents is read; more is ignored. */
const text = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]);
const constraint = z.looseObject({
  contextName: z.string().min(1),
  operator: z.string(),
  values: z
    .array(text)
    .nullish()
    .transform((values) => values ?? undefined),
  value: text.nullish().transform((value) => value ?? undefined),
  inverted: z.boolean().nullish(),
  caseInsensitive: z.boolean().nullish(),
});
const variant = z.looseObject({
  name: z.string().min(1).max(100),
  weight: z.number().min(0),
  stickiness: z.string().nullish(),
  payload: z.looseObject({ type: z.string(), value: text }).nullish(),
  overrides: z.array(z.looseObject({ contextName: z.string().min(1), values: z.array(text) })).nullish(),
});
const strategy = z.looseObject({
  parameters: z.record(z.string(), text.nullish()).nullish(),
  constraints: z.array(constraint).nullish(),
  segments: z.array(z.number()).nullish(),
  variants: z.array(variant).nullish(),
  disabled: z.boolean().nullish(),
});
const dependency = z.looseObject({
  feature: z.string(),
  enabled: z.boolean().nullish(),
  variants: z.array(z.string()).nullish(),
});
const feature = z.looseObject({
  name: z.string(),
  description: z.string().nullish(),
  type: z.string().nullish(),
  archived: z.boolean().nullish(),
  stale: z.boolean().nullish(),
  impressionData: z.boolean().nullish(),
});

export type UnleashConstraint = z.infer<typeof constraint>;
export type UnleashVariant = z.infer<typeof variant>;
export type UnleashStrategy = z.infer<typeof strategy> & {
  readonly strategyName: string;
  readonly path: Path;
};
export type UnleashDependency = z.infer<typeof dependency>;

export interface UnleashFeature extends z.infer<typeof feature> {
  readonly path: Path;
  readonly isEnabled: boolean;
  readonly strategies: readonly UnleashStrategy[];
  readonly variants: readonly UnleashVariant[];
  readonly dependencies: readonly UnleashDependency[];
  readonly tags: readonly string[];
}

export interface UnleashSegment {
  readonly id: number;
  readonly name: string;
  readonly path: Path;
  /** Undefined where the export only names the segment. */
  readonly constraints: readonly UnleashConstraint[] | undefined;
}

export interface UnleashSource {
  readonly features: readonly UnleashFeature[];
  readonly segments: readonly UnleashSegment[];
}

type Drop = (flag: string, path: Path, why: string, mend: string) => void;

/** Names of the environments that the document tells apart. */
export const environmentsIn = (top: Fields): readonly string[] => {
  const names = new Set<string>();
  const note = (value: JsonValue | undefined): void => {
    if (typeof value === 'string') names.add(value);
  };
  for (const { value } of itemsOf(top, 'featureEnvironments')) note(value.environment);
  for (const { value } of itemsOf(top, 'featureStrategies')) note(value.environment);
  for (const { value } of itemsOf(top, 'features'))
    for (const { value: own } of itemsOf(value, 'environments')) note(own.name);
  return [...names].sort();
};

/**
 * One environment of an Unleash document in one shape, whichever it is: the answer of the client API (strategies within
 * features), an export (lists beside one another), or the admin API (environments within features).
 */
export const readUnleash = (top: Fields, environment: string | undefined, drop: Drop): UnleashSource => ({
  features: itemsOf(top, 'features').flatMap(({ value, path }) => {
    const parsed = feature.safeParse(value);
    if (parsed.success) return [featureOf(top, parsed.data, value, path, environment, drop)];
    drop('', path, 'not a feature', 'Give it a name.');
    return [];
  }),
  segments: itemsOf(top, 'segments').flatMap(({ value, path }) => {
    const { id, name } = value;
    if (typeof id !== 'number') {
      drop('', path, 'a segment without a number as its id', 'Export the segments again.');
      return [];
    }
    const constraints = z.array(constraint).safeParse(value.constraints);
    return [
      {
        id,
        name: typeof name === 'string' && name !== '' ? name : `segment-${id}`,
        path,
        constraints: constraints.success ? constraints.data : undefined,
      },
    ];
  }),
});

const featureOf = (
  top: Fields,
  own: z.infer<typeof feature>,
  value: Fields,
  path: Path,
  environment: string | undefined,
  drop: Drop,
): UnleashFeature => {
  const { name } = own;
  const inside = itemsOf(value, 'environments').find(({ value: at }) => at.name === environment);
  const beside = itemsOf(top, 'featureEnvironments').find(
    ({ value: at }) => at.featureName === name && at.environment === environment,
  );
  const holder = inside ?? { value, path: [] as Path };
  const base: Path = inside ? [...path, ...inside.path] : path;
  const strategies = [
    ...under(base, itemsOf(holder.value, 'strategies')),
    ...itemsOf(top, 'featureStrategies').filter(
      ({ value: at }) =>
        at.featureName === name &&
        (environment === undefined || at.environment === undefined || at.environment === environment),
    ),
  ].sort((a, b) => orderOf(a.value) - orderOf(b.value));
  const read = <T>(
    schema: z.ZodType<T>,
    items: readonly Item[],
    what: string,
  ): readonly { data: T; item: Item }[] =>
    items.flatMap((item) => {
      const parsed = schema.safeParse(item.value);
      if (parsed.success) return [{ data: parsed.data, item }];
      const [issue] = parsed.error.issues;
      drop(
        name,
        item.path,
        `not a ${what} (${issue?.path.join('.')}: ${issue?.message})`,
        'Export it again.',
      );
      return [];
    });
  // Those of the environment go before those of the feature, which older exports have in both places.
  const variantsAt = [inside && holder, beside, { value, path }]
    .map((at) => (at ? under(at === holder ? base : at.path, itemsOf(at.value, 'variants')) : []))
    .find((items) => items.length > 0);
  const dependenciesAt = [
    ...under(path, itemsOf(value, 'dependencies')),
    ...itemsOf(top, 'dependencies')
      .filter(({ value: at }) => at.feature === name)
      .flatMap((entry) => under(entry.path, itemsOf(entry.value, 'dependencies'))),
  ];
  const segments = segmentsBeside(top);
  return {
    ...own,
    path,
    isEnabled:
      [inside?.value.enabled, beside?.value.enabled, value.enabled].find((on) => typeof on === 'boolean') ===
      true,
    strategies: read(strategy, strategies, 'strategy').map(({ data, item }) => ({
      ...data,
      segments: data.segments ?? segments.get(String(item.value.id)) ?? [],
      strategyName: String(item.value.strategyName ?? item.value.name ?? ''),
      path: item.path,
    })),
    variants: read(variant, variantsAt ?? [], 'variant').map(({ data }) => data),
    dependencies: read(dependency, dependenciesAt, 'dependency').map(({ data }) => data),
    tags: tagsOf(top, value, name),
  };
};

const under = (path: Path, items: readonly Item[]): readonly Item[] =>
  items.map((item) => ({ ...item, path: [...path, ...item.path] }));

/** Exports before version 5 keep which strategy has which segment in a list of its own. */
const segmentsBeside = (top: Fields): ReadonlyMap<string, number[]> => {
  const segments = new Map<string, number[]>();
  for (const { value } of itemsOf(top, 'featureStrategySegments')) {
    const { featureStrategyId, segmentId } = value;
    if (typeof segmentId !== 'number') continue;
    const id = String(featureStrategyId);
    segments.set(id, [...(segments.get(id) ?? []), segmentId]);
  }
  return segments;
};

const tagsOf = (top: Fields, value: Fields, name: string): readonly string[] => {
  const tag = (at: Fields): string =>
    `${String(at.tagType ?? at.type ?? 'simple')}:${String(at.tagValue ?? at.value ?? '')}`;
  const own = itemsOf(value, 'tags').map(({ value: at }) => tag(at));
  const beside = itemsOf(top, 'featureTags').filter(({ value: at }) => at.featureName === name);
  return [...new Set([...own, ...beside.map(({ value: at }) => tag(at))])]
    .map((text) => text.slice(0, 100))
    .slice(0, 50);
};

interface Item {
  readonly value: Fields;
  readonly path: Path;
}

const itemsOf = (value: Fields, field: string): readonly Item[] => {
  const items = Object.hasOwn(value, field) ? value[field] : undefined;
  if (!Array.isArray(items)) return [];
  return (items as readonly JsonValue[]).flatMap((item, i) =>
    isFields(item) ? [{ value: item, path: [field, i] }] : [],
  );
};

const orderOf = ({ sortOrder }: Fields): number => (typeof sortOrder === 'number' ? sortOrder : 0);
