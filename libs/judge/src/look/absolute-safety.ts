import { lnMeanSafety } from '../engine/bets.js';
import type { Observation } from '../engine/cohort.js';
import type { RatioMetric } from '../metric.js';
import { HEARTBEAT_LOST } from '../metric.js';
import { badShare } from '../plan/pre-period.js';
import type { PlannedMetric } from '../plan/rollout-plan.js';
import type { MetricColumns, RareEventColumns, RatioColumns } from '../row/step-table.js';
import { cohortsOf, fleetBadShare, pastShare, predictedBad } from './observation.js';
import type { EvidenceContext } from './step-evidence.js';

/** Engine B for safety within an absolute margin: any kind but gauges, any size; null where none is asked for. */
export function absoluteSafety(
  metric: PlannedMetric,
  columns: MetricColumns,
  context: EvidenceContext,
): number | null {
  const { definition } = metric;
  const isAsked = definition.absoluteMargin !== undefined && definition.kind !== 'gauge';
  if (!isAsked || metric.engines[context.step] === 'none') return null;
  const isHeartbeat = definition.kind === 'rare-event' && definition.event === HEARTBEAT_LOST;
  const observe =
    definition.kind === 'ratio'
      ? ratioSafety(metric, definition, columns as RatioColumns, context)
      : eventSafety(columns as RareEventColumns, context);
  return lnMeanSafety(
    cohortsOf(2, context, observe, endedAt(context, isHeartbeat)),
    definition.absoluteMargin!,
  );
}

/**
 * A lost canary ends when it is lost and counts as wholly bad, even if it comes back: silence must not prove anything
 * safe. A lost baseline is no observation, except to the metric that counts losses.
 */
function endedAt(context: EvidenceContext, inBothArms: boolean): Float64Array {
  const { finishedAt, lostAt, canary } = context.table;
  return finishedAt[2].map((at, i) =>
    (inBothArms || canary[i] === 1) && isLost(context, i) ? lostAt[i]! : at,
  );
}

/** Known from before, and silent in this step before its bake was over. */
function isLost({ table, stepStartedAt }: EvidenceContext, i: number): boolean {
  const at = table.lostAt[i]!;
  return table.known[i] === 1 && at > stepStartedAt && !(table.finishedAt[2][i]! <= at);
}

function ratioSafety(
  metric: PlannedMetric,
  definition: RatioMetric,
  columns: RatioColumns,
  context: EvidenceContext,
) {
  const sums = columns.windows?.[2];
  const fleetBad = fleetBadShare(definition, metric);
  return (i: number): Observation | null => {
    const prediction = predictedBad(pastShare(definition, columns, i, fleetBad), fleetBad);
    if (isLost(context, i)) return { value: 1, prediction };
    const value = badShare(definition, sums?.y[i] ?? Number.NaN, sums?.w[i] ?? Number.NaN);
    return !Number.isNaN(value) ? { value, prediction } : null;
  };
}

/** Those to whom it happened before the step began tell nothing about the step. */
function eventSafety(columns: RareEventColumns, context: EvidenceContext) {
  return (i: number): Observation | null => {
    const at = columns.at[i]!;
    if (at <= context.stepStartedAt) return null;
    return { value: !Number.isNaN(at) || isLost(context, i) ? 1 : 0, prediction: 0 };
  };
}
