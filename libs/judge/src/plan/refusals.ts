import type { JudgePolicy } from '../policy.js';
import { naturalLevel } from './natural-level.js';
import type { PlannedMetric } from './rollout-plan.js';

/** Why a rollout under this plan could only fail: said before it starts, not found out at its end. */
export function refusalsOf(
  metrics: readonly PlannedMetric[],
  policy: JudgePolicy,
  fleetSize: number,
): readonly string[] {
  const unshowable = metrics
    .filter(({ definition, isDue }) => definition.margin < 0 && definition.tier === 'critical' && !isDue)
    .map(
      ({ definition }) =>
        `metric ${definition.name} must improve by ${percent(-definition.margin)}, which ${fleetSize} instances cannot show; drop the demand, bake longer or widen it`,
    );
  const limits = policy.hardLimits.flatMap(({ metric: name, max }) => {
    const metric = metrics.find(({ definition }) => definition.name === name);
    if (metric === undefined)
      return [`hard limit names the metric ${name}, which is not judged; declare it or drop the limit`];
    const level = naturalLevel(metric);
    if (!(level > max)) return [];
    return [
      `hard limit ${name} ≤ ${max} was broken before the rollout began (${level.toPrecision(3)}); raise it or repair first`,
    ];
  });
  return [...unshowable, ...limits];
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
