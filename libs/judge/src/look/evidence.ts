import { lnMeanHarm, lnMeanSafety, lnRankHarm } from '../engine/bets.js';
import { type Cohort, closedCohorts, cohortClock, type Observation } from '../engine/cohort.js';
import { type Contrast, contrast, type Scores } from '../engine/contrast.js';
import { logRank } from '../engine/log-rank.js';
import { lnNormalMixture } from '../engine/normal-mixture.js';
import { gaugeScores, gaugeShift, type Hypothesis, ratioScores, type Scale } from '../engine/scores.js';
import type { GaugeMetric, RareEventMetric, RatioMetric } from '../metric.js';
import { HEARTBEAT_LOST, safeMarginOf } from '../metric.js';
import { lnWeightedSum } from '../numeric/ln-sum.js';
import { badShare } from '../plan/pre-period.js';
import type { PlannedMetric, RolloutPlan } from '../plan/rollout-plan.js';
import { stepLengths } from '../row/begin.js';
import type {
  GaugeColumns,
  MetricColumns,
  RareEventColumns,
  RatioColumns,
  StepTable,
} from '../row/step-table.js';

/** Evidence of one metric in one step, at one look. Logarithms; 0 = no evidence either way. */
export interface StepEvidence {
  readonly lnE: number;
  readonly lnSafe: number;
  readonly n1: number;
  readonly n0: number;
  readonly information: number;
  readonly safeInformation: number;
  readonly hazards: readonly number[];
  readonly z?: number;
  readonly effect?: number;
  /** The engine had what it needs. */
  readonly isEnough: boolean;
}

export interface EvidenceContext {
  readonly plan: RolloutPlan;
  readonly step: number;
  readonly stepStartedAt: number;
  readonly now: number;
  readonly table: StepTable;
  /** Order of bets; made on first use, as most looks of large fleets need none. */
  readonly order: () => Uint32Array;
  readonly scores: Scores;
}

/** What former looks at this step, and for engine L former steps, have left behind. */
export interface Carried {
  readonly information: number;
  readonly safeInformation: number;
  readonly hazards: readonly number[];
}

const nothing: StepEvidence = {
  lnE: 0,
  lnSafe: 0,
  n1: 0,
  n0: 0,
  information: 0,
  safeInformation: 0,
  hazards: [],
  isEnough: false,
};

/** Judges one metric by the engine that the plan chose for it. */
export function gatherEvidence(
  metric: PlannedMetric,
  columns: MetricColumns,
  carried: Carried,
  context: EvidenceContext,
): StepEvidence {
  const safe = absoluteSafety(metric, columns, context);
  switch (metric.engines[context.step]!) {
    case 'N':
      return withSafety(largeSample(metric, columns, carried, context), safe);
    case 'B':
      return withSafety(betOnAssignment(metric, columns, context), safe);
    case 'L':
      return withSafety(countEvents(metric, columns, carried, context), safe);
    case 'none':
      return { ...nothing, hazards: carried.hazards };
  }
}

function withSafety(evidence: StepEvidence, lnSafe: number | null): StepEvidence {
  return lnSafe === null ? evidence : { ...evidence, lnSafe };
}

function largeSample(
  metric: PlannedMetric,
  columns: MetricColumns,
  carried: Carried,
  context: EvidenceContext,
): StepEvidence {
  const harm = compare(metric, columns, { toward: 'harm', margin: metric.definition.margin }, context);
  if (harm === null) return { ...nothing, ...carried, lnE: 0 };
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

const windowWealth = [0.25, 0.25, 0.5];

/** Engine B for harm: a quarter of the wealth each on the first quarter and half of the bake, half on the whole. */
function betOnAssignment(
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
  return { ...nothing, lnE, n1, n0, isEnough: n1 > 0 && n0 > 0 };
}

function lnHarm({ definition }: PlannedMetric, cohorts: readonly Cohort[]): number {
  if (cohorts.length === 0) return 0;
  if (definition.kind === 'ratio' && definition.margin !== 0) {
    // Bad shares turn "less is worse" round, so that the margin must be turned with them: it applies to the good share.
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

function cohortsOf(
  window: number,
  { plan: { policy }, stepStartedAt, now, table, order }: EvidenceContext,
  observe: (index: number) => Observation | null,
  finishedAt: Float64Array = table.finishedAt[window]!,
): readonly Cohort[] {
  const clock = cohortClock(policy, stepStartedAt + policy.warmUpMs, stepLengths(policy)[window]!, now);
  return closedCohorts(order(), table.canary, finishedAt, clock, observe);
}

/** How much of an instance's own past may excuse it. */
const pastWeight = 0.5;
const pastCap = 0.2;

function ratioHarm(metric: PlannedMetric, definition: RatioMetric, columns: RatioColumns, window: number) {
  const sums = columns.windows?.[window];
  const byRank = definition.margin === 0;
  return (i: number): Observation | null => {
    const y = sums?.y[i] ?? Number.NaN;
    const w = sums?.w[i] ?? Number.NaN;
    if (!(w > 0)) return null;
    const past = pastShare(metric, definition, columns, i);
    if (byRank) {
      const worse = definition.worse === 'up' ? y / w : -y / w;
      return { value: worse - pastWeight * Math.min(past, pastCap), prediction: 0 };
    }
    return {
      value: Math.min(1, Math.max(0, y / w)),
      prediction: predicted(metric, past, definition.worse === 'up'),
    };
  };
}

/** Bad share of the instance in the pre-period; the fleet's for an instance that was not there. */
function pastShare(metric: PlannedMetric, definition: RatioMetric, { pre }: RatioColumns, i: number): number {
  const own = badShare(definition, pre.y[i]!, pre.w[i]!);
  return !Number.isNaN(own) ? own : fleetBadShare(metric, definition);
}

function fleetBadShare({ level }: PlannedMetric, definition: RatioMetric): number {
  return badShare(definition, level, 1);
}

/** mᵢ: none if the instance never failed before, else half way between its own past and the fleet's. */
function predicted(metric: PlannedMetric, pastBad: number, wantsBad: boolean): number {
  const definition = metric.definition as RatioMetric;
  const bad = pastBad === 0 ? 0 : 0.5 * (pastBad + fleetBadShare(metric, definition));
  return wantsBad ? bad : 1 - bad;
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

/** Engine B for safety within an absolute margin: any kind but gauges, any size; null where none is asked for. */
function absoluteSafety(
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
  return (i: number): Observation | null => {
    const prediction = predicted(metric, pastShare(metric, definition, columns, i), true);
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

function countEvents(
  metric: PlannedMetric,
  columns: MetricColumns,
  carried: Carried,
  { table, stepStartedAt, now }: EvidenceContext,
): StepEvidence {
  const definition = metric.definition as RareEventMetric;
  const eventAt = (columns as RareEventColumns).at;
  const found = logRank(
    {
      canary: table.canary,
      atRisk: table.known,
      eventAt,
      censoredAt: definition.event === HEARTBEAT_LOST ? null : table.lostAt,
    },
    { from: stepStartedAt, until: now, margin: definition.margin, wealth: carried.hazards },
  );
  return {
    ...nothing,
    lnE: found.lnE,
    hazards: found.wealth,
    n1: found.atRisk1,
    n0: found.atRisk0,
    isEnough: found.atRisk1 > 0 && found.atRisk0 > 0,
  };
}
