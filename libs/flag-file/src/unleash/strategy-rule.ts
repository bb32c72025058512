import type { JsonValue } from '@headgate/contracts';
import { seedFrom } from '../bucketing/choose-seeds.js';
import { unleashPercentile } from '../bucketing/theirs.js';
import type { Path } from '../flag-file.js';
import { allOf } from '../logic.js';
import type { Gathering } from '../source.js';
import { addressCondition } from './address-condition.js';
import { attributeOf, conditionOf } from './condition.js';
import type { UnleashConstraint, UnleashStrategy } from './unleash-source.js';

/** What one strategy of a feature asks: a condition, and a share of those who meet it. */
export interface StrategyRule {
  readonly strategy: UnleashStrategy;
  readonly name: string;
  /** Literally `true` for everybody. */
  readonly when: JsonValue;
  readonly rollout: Rollout | undefined;
}

export interface Rollout {
  readonly weightPpm: number;
  readonly seed: string;
  readonly bucketBy: string;
}

interface Percentage {
  readonly percent: number;
  readonly groupId: string;
  readonly stickiness: string;
}

const WHOLE_PPM = 1_000_000;
const EXPORT_AGAIN = 'Mend it in Unleash and export again.';

/** The strategy as a rule; undefined when it is left out, which was reported: it then turns the flag on for nobody. */
export const strategyRule = (
  feature: string,
  strategy: UnleashStrategy,
  segments: ReadonlyMap<number, string>,
  gathering: Gathering,
): StrategyRule | undefined => {
  const { path, strategyName, constraints, segments: ids = [] } = strategy;
  const { drop } = gathering;
  if (strategy.disabled) {
    drop(feature, path, 'the strategy is turned off', 'Nothing to do; add a rule when it is wanted again.');
    return undefined;
  }
  const own = ownCondition(feature, strategy, gathering);
  const wanted = conditionsOf(feature, constraints ?? [], [...path, 'constraints'], gathering);
  const missing = (ids ?? []).filter((id) => !segments.has(id));
  for (const id of missing)
    drop(
      feature,
      [...path, 'segments'],
      `segment ${id} is not in the file with its constraints, or could not be carried; the strategy is left out`,
      'Add the segments of /api/admin/segments to the file, or write the rule by hand.',
    );
  if (own === undefined || wanted === undefined || missing.length > 0) return undefined;
  const references = (ids ?? []).map((id): JsonValue => ({ $ref: segments.get(id) ?? '' }));
  return {
    strategy,
    name: ruleName(strategy),
    when: allOf([...own.conditions, ...wanted, ...references]),
    rollout: own.percentage && rolloutOf(feature, own.percentage, path, strategyName, gathering),
  };
};

const ruleName = ({ strategyName, title, path }: UnleashStrategy): string =>
  (typeof title === 'string' && title !== ''
    ? title
    : `${strategyName || 'strategy'} ${(path.at(-1) as number) + 1}`
  ).slice(0, 100);

/** All of them, or undefined when one cannot be carried: without it the others would let in whom it keeps out. */
export const conditionsOf = (
  flag: string,
  constraints: readonly UnleashConstraint[],
  path: Path,
  { drop }: Gathering,
): readonly JsonValue[] | undefined => {
  let isWhole = true;
  const conditions = constraints.flatMap((constraint, i): JsonValue[] => {
    const made = conditionOf(constraint);
    if ('when' in made) {
      if (made.remark) drop(flag, [...path, i], made.remark.why, made.remark.mend);
      return [made.when];
    }
    isWhole = false;
    drop(flag, [...path, i], `${made.why}; what it guards is left out`, made.mend);
    return [];
  });
  return isWhole ? conditions : undefined;
};

interface Own {
  readonly conditions: readonly JsonValue[];
  readonly percentage?: Percentage;
}

/** What the strategy's kind asks, before constraints and segments. */
const ownCondition = (
  feature: string,
  { strategyName, parameters, path }: UnleashStrategy,
  { drop }: Gathering,
): Own | undefined => {
  const parameter = (name: string): string =>
    parameters && Object.hasOwn(parameters, name) ? (parameters[name] ?? '') : '';
  const list = (name: string): readonly string[] =>
    parameter(name)
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  const gradual = (stickiness: string): Own => ({
    conditions: [],
    percentage: { percent: Number(parameter('percentage')), groupId: parameter('groupId'), stickiness },
  });
  switch (strategyName) {
    case 'default':
      return { conditions: [] };
    case 'userWithId':
      return { conditions: [{ in: [{ var: 'targetingKey' }, [...list('userIds')]] }] };
    case 'flexibleRollout':
      return {
        conditions: [],
        percentage: {
          percent: Number(parameter('rollout')),
          groupId: parameter('groupId') || feature,
          stickiness: parameter('stickiness') || 'default',
        },
      };
    case 'gradualRolloutUserId':
      return gradual('userId');
    case 'gradualRolloutSessionId':
      return gradual('sessionId');
    case 'gradualRolloutRandom':
      return gradual('random');
    case 'remoteAddress': {
      const made = addressCondition({ var: 'remoteAddress' }, list('IPs'));
      if ('when' in made) {
        if (made.remark) drop(feature, [...path, 'parameters', 'IPs'], made.remark.why, made.remark.mend);
        return { conditions: [made.when] };
      }
      drop(feature, [...path, 'parameters', 'IPs'], `${made.why}; the strategy is left out`, made.mend);
      return undefined;
    }
    case 'applicationHostname':
      drop(
        feature,
        path,
        'Unleash reads the name of the host by itself; here the rule reads the attribute "hostname"',
        'Send the host name, in lower case, as the attribute "hostname".',
      );
      return {
        conditions: [{ in: [{ var: 'hostname' }, list('hostNames').map((name) => name.toLowerCase())] }],
      };
    default:
      drop(
        feature,
        path,
        `the strategy "${strategyName}" is none of Unleash's own; it is left out`,
        'Write what it does as a rule.',
      );
      return undefined;
  }
};

const rolloutOf = (
  feature: string,
  { percent, groupId, stickiness }: Percentage,
  path: Path,
  kind: string,
  { drop, options, seed, split }: Gathering,
): Rollout | undefined => {
  if (!Number.isFinite(percent))
    drop(feature, path, `the percentage of ${kind} is not a number`, EXPORT_AGAIN);
  // Unleash compares whole percentiles, so 12.9 % means 12 %.
  const whole = Number.isFinite(percent) ? Math.min(100, Math.max(0, Math.floor(percent))) : 0;
  const weightPpm = whole * 10_000;
  if (stickiness === 'random')
    drop(
      feature,
      path,
      'Unleash draws anew at every evaluation; here the targeting key decides',
      'Nothing to do, unless redrawing was wanted.',
    );
  const bucketBy =
    stickiness === 'default' || stickiness === 'random' ? 'targetingKey' : attributeOf(stickiness);
  // Everybody, with or without anything to be bucketed by.
  if (weightPpm === WHOLE_PPM && (stickiness === 'default' || stickiness === 'random')) return undefined;
  const group = `rollout ${groupId}`;
  const own = options.isSeedCompatible ? groupId : groupId === feature ? feature : `${feature}/${groupId}`;
  const chosen = seed(group, seedFrom(own));
  split(
    {
      flag: feature,
      group,
      seed: chosen,
      arms: [
        { variant: 'on', weightPpm },
        { variant: 'off', weightPpm: WHOLE_PPM - weightPpm },
      ],
      theirs: (key) => (whole > 0 && unleashPercentile(groupId, key) <= whole ? 'on' : 'off'),
    },
    path,
  );
  return { weightPpm, seed: chosen, bucketBy };
};
