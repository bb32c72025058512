import {
  type FlagDefinition,
  flagType,
  type JsonValue,
  type Prerequisite,
  type TargetingRule,
} from '@headgate/contracts';
import { isFields } from '../definition-form.js';
import { allOf } from '../logic.js';
import { type Imported, type ImportOptions, unread } from '../report.js';
import { type DraftDefinition, type Gathering, gather } from '../source.js';
import { problemAt, readTree } from '../text-tree.js';
import { conditionsOf, type Rollout, type StrategyRule, strategyRule } from './strategy-rule.js';
import { environmentsIn, readUnleash, type UnleashFeature, type UnleashSource } from './unleash-source.js';
import { hasVariants, variantFlag, variantFlagKey } from './variant-flag.js';

export interface UnleashOptions extends ImportOptions {
  /** Which of the file's environments; needed only where it has several. */
  readonly environment?: string;
}

const WHOLE_PPM = 1_000_000;

/**
 * Features of Unleash as a flag file: exports of version 5 and before, answers of the client API and of the admin API. Each
 * feature becomes a boolean flag; one with variants a second flag, `<name>.variant`. What cannot be said is left out so that
 * it serves nobody more than before, and is reported.
 */
export const importUnleash = (text: string, options: UnleashOptions = {}): Imported => {
  const read = readTree(text);
  if ('problems' in read) return unread(read.problems);
  const { tree } = read;
  const top = tree.value;
  if (!isFields(top) || !Array.isArray(top.features))
    return unread([problemAt(tree, [], 'not an Unleash export', 'It needs a list "features".')]);
  const environments = environmentsIn(top);
  const environment = options.environment ?? (environments.length === 1 ? environments[0] : undefined);
  if (environments.length > 0 && (environment === undefined || !environments.includes(environment)))
    return unread([
      problemAt(
        tree,
        ['features'],
        environment === undefined
          ? `the export has ${environments.length} environments`
          : `the export has no environment "${environment}"`,
        `Name one of ${environments.join(', ')} (--environment).`,
      ),
    ]);
  return gather(tree, options, (gathering) => {
    const source = readUnleash(top, environment, gathering.drop);
    const segments = carrySegments(source, gathering);
    for (const feature of source.features) carryFeature(feature, source, segments, gathering);
  });
};

const carrySegments = ({ segments }: UnleashSource, gathering: Gathering): ReadonlyMap<number, string> => {
  const carried = new Map<number, string>();
  for (const { id, name, path, constraints } of segments) {
    if (!constraints) continue;
    const wanted = conditionsOf(name, constraints, [...path, 'constraints'], gathering);
    if (!wanted) continue;
    const tidy = name
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[._-]+/, '')
      .slice(0, 80);
    const unique = tidy === '' || [...carried.values()].includes(tidy) ? `${tidy || 'segment'}-${id}` : tidy;
    if (gathering.segment(unique, { when: allOf(wanted) }, path)) carried.set(id, unique);
  }
  return carried;
};

const carryFeature = (
  feature: UnleashFeature,
  source: UnleashSource,
  segments: ReadonlyMap<number, string>,
  gathering: Gathering,
): void => {
  const { name, path } = feature;
  const { drop } = gathering;
  if (feature.archived) {
    drop(name, path, 'the feature is archived', 'Nothing to do, unless it is still asked for.');
    return;
  }
  remarks(feature, gathering);
  const parents = prerequisitesOf(feature, source, gathering);
  const rules = parents
    ? feature.strategies.flatMap((strategy) => {
        const rule = strategyRule(name, strategy, segments, gathering);
        return rule ? [rule] : [];
      })
    : [];
  const isForAll = parents !== undefined && feature.strategies.length === 0;
  const common = commonOf(feature, gathering);
  const on: DraftDefinition = {
    ...common,
    state: feature.isEnabled ? 'ENABLED' : 'DISABLED',
    variants: { on: true, off: false },
    ...decidingOf(name, isForAll, rules),
    ...(parents && parents.length > 0
      ? { prerequisites: parents.map((parent) => ({ ...parent, otherwise: 'off' })) }
      : {}),
  };
  gathering.flag(name, on, path);
  if (!hasVariants(feature) || !parents) return;
  const flag = variantFlag(feature, rules, rules.map(whole), gathering);
  drop(
    name,
    path,
    'Unleash answers isEnabled and getVariant of one feature; a flag has one type',
    `Ask "${name}" whether it is on, and "${variantFlagKey(name)}" for the variant.`,
  );
  gathering.flag(
    variantFlagKey(name),
    { ...common, ...flag, ...(parents.length > 0 ? { prerequisites: [...parents] } : {}) },
    path,
  );
};

const remarks = (feature: UnleashFeature, { drop }: Gathering): void => {
  const { name, path } = feature;
  if (!feature.isEnabled)
    drop(
      name,
      path,
      'a disabled feature is off in Unleash; a disabled flag serves the default in the code',
      'Make that default "off".',
    );
  if (feature.stale)
    drop(name, path, 'marked as stale', 'Nothing to do; Headgate finds stale flags by itself.');
  if (feature.impressionData)
    drop(name, path, 'impression data is turned on', 'Count exposures with the SDK.');
};

type Common = Pick<FlagDefinition, 'description' | 'type' | 'tags'>;

const commonOf = ({ description, type, tags, name, path }: UnleashFeature, { drop }: Gathering): Common => {
  const known = flagType.safeParse(type);
  if (type && !known.success)
    drop(name, path, `the type "${type}" is not known here`, 'Give the flag a type.');
  return {
    ...(description ? { description: description.slice(0, 2_000) } : {}),
    ...(known.success ? { type: known.data } : {}),
    ...(tags.length > 0 ? { tags: [...tags] } : {}),
  };
};

/** Undefined when a parent is not there: Unleash then turns the feature on for nobody. */
const prerequisitesOf = (
  { name, path, dependencies }: UnleashFeature,
  { features }: UnleashSource,
  { drop }: Gathering,
): readonly Prerequisite[] | undefined => {
  let isWhole = true;
  const prerequisites = dependencies.flatMap(({ feature, enabled, variants }): Prerequisite[] => {
    const parent = features.find((other) => other.name === feature && !other.archived);
    const never = (why: string, mend: string): [] => {
      drop(name, path, `it depends on "${feature}", ${why}: on for nobody`, mend);
      isWhole = false;
      return [];
    };
    if (!parent)
      return never('which is not in the file', `Export "${feature}" too, or write the flag by hand.`);
    if (parent.dependencies.length > 0)
      return never('which depends on others itself', 'Depend on those others directly.');
    if (enabled === false && !parent.isEnabled) {
      const why = `it wants "${feature}" to be off, which it is; a disabled flag meets no prerequisite here, so this one is left out`;
      drop(name, path, why, `Add it again when "${feature}" is enabled.`);
      return [];
    }
    if (enabled === false) return [{ flag: feature, variants: ['off'] }];
    if (!variants || variants.length === 0) return [{ flag: feature, variants: ['on'] }];
    if (hasVariants(parent)) return [{ flag: variantFlagKey(feature), variants: [...variants] }];
    // A feature without variants answers "disabled" to who asks for one.
    if (variants.includes('disabled')) return [{ flag: feature, variants: ['on'] }];
    return never('which has no variants', `Give "${feature}" its variants, or ask only whether it is on.`);
  });
  return isWhole ? prerequisites : undefined;
};

/** Any strategy that is met turns the feature on; so does having none. */
const decidingOf = (
  feature: string,
  isForAll: boolean,
  rules: readonly StrategyRule[],
): Pick<FlagDefinition, 'defaultVariant' | 'rules' | 'fallthrough'> => {
  if (isForAll || rules.some(({ when, rollout }) => when === true && !rollout))
    return { defaultVariant: 'on' };
  const made = rules.map((rule, i): TargetingRule => {
    const isLast = i === rules.length - 1;
    const { name, when, rollout } = rule;
    if (!isLast || !rollout) return { name, when: whole(rule), serve: { variant: 'on' } };
    return { name, when, serve: splitOf(feature, rollout) };
  });
  const last = made.at(-1);
  if (last?.when !== true) return { defaultVariant: 'off', ...(made.length > 0 ? { rules: made } : {}) };
  const before = made.slice(0, -1);
  return { defaultVariant: 'off', ...(before.length > 0 ? { rules: before } : {}), fallthrough: last.serve };
};

const splitOf = (feature: string, { weightPpm, seed, bucketBy }: Rollout): TargetingRule['serve'] => ({
  split: [
    { variant: 'on', weightPpm },
    { variant: 'off', weightPpm: WHOLE_PPM - weightPpm },
  ],
  ...(seed === feature ? {} : { seed }),
  ...(bucketBy === 'targetingKey' ? {} : { bucketBy }),
});

/** The condition with the share in it, so that who is not in the share goes on to the next rule. */
const whole = ({ when, rollout }: StrategyRule): JsonValue => {
  if (!rollout) return when;
  const attribute: JsonValue = { var: rollout.bucketBy };
  const drawn: JsonValue = {
    fractional: [
      { cat: [rollout.seed, attribute] },
      ['on', rollout.weightPpm],
      ['off', WHOLE_PPM - rollout.weightPpm],
    ],
  };
  return allOf([...(when === true ? [] : [when]), attribute, { '==': [drawn, 'on'] }]);
};
