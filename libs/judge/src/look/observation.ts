import { type Cohort, closedCohorts, cohortClock, type Observation } from '../engine/cohort.js';
import type { RatioMetric } from '../metric.js';
import { badShare } from '../plan/pre-period.js';
import type { PlannedMetric } from '../plan/rollout-plan.js';
import { stepLengths } from '../row/begin.js';
import type { RatioColumns } from '../row/step-table.js';
import type { EvidenceContext } from './step-evidence.js';

/** What `observe` sees of the instances that have finished a window, in cohorts and in betting order. */
export function cohortsOf(
  window: number,
  { plan: { policy }, stepStartedAt, now, table, order }: EvidenceContext,
  observe: (index: number) => Observation | null,
  finishedAt: Float64Array = table.finishedAt[window]!,
): readonly Cohort[] {
  const clock = cohortClock(policy, stepStartedAt + policy.warmUpMs, stepLengths(policy)[window]!, now);
  return closedCohorts(order(), table.canary, finishedAt, clock, observe);
}

/** Bad share of the instance in the pre-period; the fleet's for an instance that was not there. */
export function pastShare(
  metric: PlannedMetric,
  definition: RatioMetric,
  { pre }: RatioColumns,
  i: number,
): number {
  const own = badShare(definition, pre.y[i]!, pre.w[i]!);
  return !Number.isNaN(own) ? own : fleetBadShare(metric, definition);
}

function fleetBadShare({ level }: PlannedMetric, definition: RatioMetric): number {
  return badShare(definition, level, 1);
}

/** mᵢ: none if the instance never failed before, else half way between its own past and the fleet's. */
export function predicted(metric: PlannedMetric, pastBad: number, wantsBad: boolean): number {
  const definition = metric.definition as RatioMetric;
  const bad = pastBad === 0 ? 0 : 0.5 * (pastBad + fleetBadShare(metric, definition));
  return wantsBad ? bad : 1 - bad;
}
