import type { GaugeMetric } from '../metric.js';
import { naturalLevel } from '../plan/natural-level.js';
import type { PlannedMetric, RolloutPlan } from '../plan/rollout-plan.js';
import type {
  GaugeColumns,
  MetricColumns,
  RareEventColumns,
  RatioColumns,
  StepTable,
} from '../row/step-table.js';

export interface LimitState {
  /** Looks in a row at which the limit was broken in the canary and not outside it. */
  readonly streak: number;
  readonly sentence: string;
}

export const limitStreakNeeded = 2;

/** Checks the policy's ceilings. Where no baseline is left, the pre-period stands in for it. */
export function checkHardLimits(
  plan: RolloutPlan,
  table: StepTable,
  former: readonly number[],
): readonly LimitState[] {
  return plan.policy.hardLimits.map(({ metric: name, max }, k) => {
    const index = plan.metrics.findIndex(({ definition }) => definition.name === name);
    const metric = plan.metrics[index];
    if (metric === undefined) return { streak: 0, sentence: '' };
    const canary = levelOf(metric, table.metrics[index]!, table, 1);
    const baseline = levelOf(metric, table.metrics[index]!, table, 0);
    const elsewhere = !Number.isNaN(baseline) ? baseline : naturalLevel(metric);
    const isBroken = canary > max && !(elsewhere > max);
    return {
      streak: isBroken ? (former[k] ?? 0) + 1 : 0,
      sentence: `${name} is ${canary.toPrecision(3)} in the canary, above its hard limit ${max}; elsewhere it is ${elsewhere.toPrecision(3)}`,
    };
  });
}

/** The arm's level on the natural scale; NaN without data. */
function levelOf(metric: PlannedMetric, columns: MetricColumns, table: StepTable, arm: 0 | 1): number {
  const { definition } = metric;
  switch (definition.kind) {
    case 'ratio':
      return ratioLevel(columns as RatioColumns, table, arm);
    case 'gauge':
      return gaugeLevel(definition, columns as GaugeColumns, table, arm);
    case 'rare-event':
      return eventShare(columns as RareEventColumns, table, arm);
  }
}

function ratioLevel({ now: { y, w } }: RatioColumns, { canary }: StepTable, arm: 0 | 1): number {
  let events = 0;
  let exposure = 0;
  for (let i = 0; i < w.length; i++) {
    if (canary[i] !== arm || !(w[i]! > 0)) continue;
    events += y[i]!;
    exposure += w[i]!;
  }
  return exposure > 0 ? events / exposure : Number.NaN;
}

function gaugeLevel(
  definition: GaugeMetric,
  { now }: GaugeColumns,
  { canary }: StepTable,
  arm: 0 | 1,
): number {
  let sum = 0;
  let n = 0;
  for (let i = 0; i < now.length; i++) {
    if (canary[i] !== arm || Number.isNaN(now[i])) continue;
    sum += now[i]!;
    n += 1;
  }
  if (n === 0) return Number.NaN;
  return definition.scale === 'linear' ? sum / n : Math.exp(sum / n);
}

function eventShare({ at }: RareEventColumns, { canary, known }: StepTable, arm: 0 | 1): number {
  let events = 0;
  let n = 0;
  for (let i = 0; i < at.length; i++) {
    if (canary[i] !== arm || known[i] !== 1) continue;
    n += 1;
    if (!Number.isNaN(at[i])) events += 1;
  }
  return n > 0 ? events / n : Number.NaN;
}
