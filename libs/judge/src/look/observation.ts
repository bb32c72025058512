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

/** The fleet's bad share in the pre-period. */
export function fleetBadShare(definition: RatioMetric, { level }: PlannedMetric): number {
  return badShare(definition, level, 1);
}

/** The instance's own; the fleet's for one that was not there. */
export function pastShare(
  definition: RatioMetric,
  { pre }: RatioColumns,
  i: number,
  fleetBad: number,
): number {
  const own = badShare(definition, pre.y[i]!, pre.w[i]!);
  return Number.isNaN(own) ? fleetBad : own;
}

/** mᵢ: none if the instance never failed before, else half way between its own past and the fleet's. */
export function predictedBad(pastBad: number, fleetBad: number): number {
  return pastBad === 0 ? 0 : (pastBad + fleetBad) / 2;
}
