import { type Contrast, contrast, type Scores } from '../engine/contrast.js';
import { lnNormalMixture } from '../engine/normal-mixture.js';
import { gaugeScores, type Hypothesis, ratioScores, type Scale } from '../engine/scores.js';
import { safeMarginOf } from '../metric.js';
import type { PlannedMetric } from '../plan/rollout-plan.js';
import type { GaugeColumns, MetricColumns, RatioColumns } from '../row/step-table.js';
import { type Carried, type EvidenceContext, noEvidence, type StepEvidence } from './step-evidence.js';

/** Engine N: harm beyond the margin, and for critical metrics safety within it. */
export function compareArms(
  metric: PlannedMetric,
  columns: MetricColumns,
  carried: Carried,
  context: EvidenceContext,
): StepEvidence {
  const harm = compare(metric, columns, { toward: 'harm', margin: metric.definition.margin }, context);
  if (harm === null) return { ...noEvidence, ...carried, lnE: 0 };
  const information = Math.max(carried.information, harm.information);
  const delta = metric.definition.tier === 'critical' ? safeMarginOf(metric.definition) : undefined;
  const safe =
    delta === undefined ? null : compare(metric, columns, { toward: 'safety', margin: delta }, context);
  const safeInformation = Math.max(carried.safeInformation, safe?.information ?? 0);
  return {
    lnE: lnNormalMixture(harm.contrast.z, information, metric.tau),
    lnSafe: safe === null ? 0 : lnNormalMixture(safe.contrast.z, safeInformation, metric.tau),
    n1: harm.contrast.n1,
    n0: harm.contrast.n0,
    information,
    safeInformation,
    hazards: [],
    z: harm.contrast.z,
    effect: harm.contrast.difference / harm.unit,
    isEnough: true,
  };
}

/** Null where an arm is too small or too few events are to be expected for a large-sample statement. */
function compare(
  metric: PlannedMetric,
  columns: MetricColumns,
  hypothesis: Hypothesis,
  { plan: { policy }, table, scores }: EvidenceContext,
): { readonly contrast: Contrast; readonly unit: number; readonly information: number } | null {
  const { unit, expectedEvents } = fillScores(metric, columns, table.canary, hypothesis, scores);
  if (!(unit > 0) || expectedEvents < policy.minEvents) return null;
  const found = contrast(scores);
  if (found === null || found.n1 < policy.minInstances || found.n0 < policy.minInstances) return null;
  return { contrast: found, unit, information: (unit * unit) / found.variance };
}

function fillScores(
  metric: PlannedMetric,
  columns: MetricColumns,
  canary: Uint8Array,
  hypothesis: Hypothesis,
  scores: Scores,
): Scale {
  const { definition } = metric;
  switch (definition.kind) {
    case 'ratio':
      return ratioScores(metric, definition, columns as RatioColumns, canary, hypothesis, scores);
    case 'gauge':
      return gaugeScores(metric, definition, columns as GaugeColumns, canary, hypothesis, scores);
    case 'rare-event':
      return { unit: 0, expectedEvents: 0 };
  }
}
