import { lnMeanHarm, lnRankHarm } from '../engine/bets.js';
import type { Cohort, Observation } from '../engine/cohort.js';
import { gaugeShift } from '../engine/scores.js';
import type { GaugeMetric, RatioMetric } from '../metric.js';
import { lnWeightedSum } from '../numeric/ln-sum.js';
import type { PlannedMetric } from '../plan/rollout-plan.js';
import type { GaugeColumns, MetricColumns, RatioColumns } from '../row/step-table.js';
import { cohortsOf, fleetBadShare, pastShare, predictedBad } from './observation.js';
import { type EvidenceContext, noEvidence, type StepEvidence } from './step-evidence.js';

const windowWealth = [0.25, 0.25, 0.5];

/** Engine B for harm: a quarter of the wealth each on the first quarter and half of the bake, half on the whole. */
export function betOnAssignment(
  metric: PlannedMetric,
  columns: MetricColumns,
  context: EvidenceContext,
): StepEvidence {
  const perWindow = [0, 1, 2].map((window) => windowCohorts(metric, columns, window, context));
  const lnE = lnWeightedSum(
    windowWealth,
    perWindow.map((cohorts) => lnHarm(metric, cohorts)),
  );
  const n1 = armSize(perWindow[2]!, 1);
  const n0 = armSize(perWindow[2]!, 0);
  return { ...noEvidence, lnE, n1, n0, isEnough: n1 > 0 && n0 > 0 };
}

function lnHarm({ definition }: PlannedMetric, cohorts: readonly Cohort[]): number {
  if (cohorts.length === 0) return 0;
  if (definition.kind === 'ratio' && definition.margin !== 0) {
    // Read as they are, not as bad shares: a margin on hits is no margin on misses.
    return lnMeanHarm(cohorts, definition.margin, definition.worse === 'up' ? 1 : -1);
  }
  return lnRankHarm(cohorts);
}

function armSize(cohorts: readonly Cohort[], arm: 0 | 1): number {
  return cohorts.reduce((sum, { canary }) => sum + canary.reduce((n, c) => n + (c === arm ? 1 : 0), 0), 0);
}

function windowCohorts(
  metric: PlannedMetric,
  columns: MetricColumns,
  window: number,
  context: EvidenceContext,
): readonly Cohort[] {
  const { definition } = metric;
  switch (definition.kind) {
    case 'ratio':
      return cohortsOf(window, context, ratioHarm(metric, definition, columns as RatioColumns, window));
    case 'gauge':
      return cohortsOf(
        window,
        context,
        gaugeHarm(metric, definition, columns as GaugeColumns, window, context),
      );
    case 'rare-event':
      return [];
  }
}

/** How much of an instance's own past may excuse it. */
const pastWeight = 0.5;
const pastCap = 0.2;

function ratioHarm(metric: PlannedMetric, definition: RatioMetric, columns: RatioColumns, window: number) {
  const sums = columns.windows?.[window];
  const fleetBad = fleetBadShare(definition, metric);
  const byRank = definition.margin === 0;
  return (i: number): Observation | null => {
    const y = sums?.y[i] ?? Number.NaN;
    const w = sums?.w[i] ?? Number.NaN;
    if (!(w > 0)) return null;
    const past = pastShare(definition, columns, i, fleetBad);
    if (byRank) {
      const worse = definition.worse === 'up' ? y / w : -y / w;
      return { value: worse - pastWeight * Math.min(past, pastCap), prediction: 0 };
    }
    const bad = predictedBad(past, fleetBad);
    return {
      value: Math.min(1, Math.max(0, y / w)),
      prediction: definition.worse === 'up' ? bad : 1 - bad,
    };
  };
}

function gaugeHarm(
  { level }: PlannedMetric,
  definition: GaugeMetric,
  columns: GaugeColumns,
  window: number,
  { table }: EvidenceContext,
) {
  const means = columns.windows?.[window];
  const shift = gaugeShift(definition, level, definition.margin);
  const direction = definition.worse === 'up' ? 1 : -1;
  return (i: number): Observation | null => {
    const x = means?.[i] ?? Number.NaN;
    if (Number.isNaN(x)) return null;
    const past = columns.pre[i]!;
    const moved = x - (!Number.isNaN(past) ? past : level);
    return { value: direction * (moved - (table.canary[i] === 1 ? shift : 0)), prediction: 0 };
  };
}
