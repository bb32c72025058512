import type { MetricDefinition } from '../metric.js';
import { HEARTBEAT_LOST, heartbeatLost, safeMarginOf } from '../metric.js';
import { lnChoose } from '../numeric/ln-gamma.js';
import type { JudgePolicy } from '../policy.js';
import type { PreRow } from '../row/pre-row.js';
import { detectableEffect, detectableHazard, plannedInformation } from './detectable.js';
import { ladderFor } from './ladder.js';
import { isQuarantined } from './placebo.js';
import { planSteps, type StepShape } from './plan-steps.js';
import { type PreMetric, readPrePeriod, residualVariance } from './pre-period.js';
import { isAbsoluteProofDue, isRelativeProofDue, type ProofPower } from './proof-due.js';
import { refusalsOf } from './refusals.js';
import type { Engine, PlannedMetric, RolloutPlan } from './rollout-plan.js';

export interface PlanInput {
  /** One per instance that reported through the pre-period, in any order. */
  readonly preRows: readonly PreRow[];
  readonly metrics: readonly MetricDefinition[];
  readonly policy: JudgePolicy;
  /** Unlike the seed of the bucket; any other string will do. */
  readonly orderSalt: string;
}

/** Fewer reporters than this are no fleet to compare within. */
const sparseBelow = 10;
const attainableReserve = 2.5;

/** Fixes everything that must not depend on what the steps will show. Same input, same plan, to the bit. */
export function planRollout({ preRows, metrics, policy, orderSalt }: PlanInput): RolloutPlan {
  const rows = [...preRows].sort((a, b) => (a.instance < b.instance ? -1 : a.instance > b.instance ? 1 : 0));
  const ladder = ladderFor(rows.length, policy.ladderPpm);
  const steps = planSteps(ladder, rows.length);
  const judged = withHeartbeat(metrics);
  const weightOf = weights(judged);
  const critical = judged.filter(({ tier }) => tier === 'critical').length;
  const context = { rows, steps, policy, orderSalt, critical };
  const planned = judged.map((definition) => planMetric(definition, weightOf(definition), context));
  return {
    schema: 'rollout-plan.v1',
    mode: rows.length < sparseBelow ? 'sparse' : 'normal',
    fleetSize: rows.length,
    policy,
    metrics: planned,
    steps: steps.map(({ weightPpm, share, safeShare, isProofDue, isFinal }, s) => ({
      weightPpm,
      share,
      safeShare,
      isProofDue,
      isFinal,
      isJudgeable: planned.some((metric) => metric.definition.tier === 'critical' && metric.judgeable[s]!),
    })),
    holdBackPpm: ladder.holdBackPpm,
    orderSalt,
    refusals: refusalsOf(planned, policy, rows.length),
  };
}

function withHeartbeat(metrics: readonly MetricDefinition[]): readonly MetricDefinition[] {
  const isThere = metrics.some((metric) => metric.kind === 'rare-event' && metric.event === HEARTBEAT_LOST);
  return isThere ? metrics : [...metrics, heartbeatLost];
}

/** Critical metrics share half of the error budget, all of it where there are no others. */
function weights(metrics: readonly MetricDefinition[]): (metric: MetricDefinition) => number {
  const critical = metrics.filter(({ tier }) => tier === 'critical').length;
  const other = metrics.length - critical;
  const share = critical === 0 ? 0 : other === 0 ? 1 : 0.5;
  return ({ tier }) => (tier === 'critical' ? share / critical : (1 - share) / other);
}

interface Context {
  readonly rows: readonly PreRow[];
  readonly steps: readonly StepShape[];
  readonly policy: JudgePolicy;
  readonly orderSalt: string;
  readonly critical: number;
}

function planMetric(definition: MetricDefinition, weight: number, context: Context): PlannedMetric {
  const { rows, steps, policy } = context;
  const pre = readPrePeriod(definition, rows);
  const tau = definition.kind === 'gauge' ? policy.tau.gauge : policy.tau.ratio;
  const variance = residualVariance(pre);
  const quarantined = isQuarantined({ definition, pre, rows, steps, weight, tau, policy });
  const engines = steps.map((step) => (quarantined ? 'none' : engineFor(definition, pre, step, policy)));
  const lnThresholdAt = (s: number) => lnBar(definition, weight, steps[s]!, policy);
  const information = steps.map(({ n1, n0 }) => plannedInformation(pre.unit, variance, n1, n0));
  return {
    definition,
    weight,
    tau,
    level: compact(pre.level),
    ...(pre.exposureMean !== undefined && { exposureMean: compact(pre.exposureMean) }),
    ...(pre.exposureCap !== undefined &&
      Number.isFinite(pre.exposureCap) && { exposureCap: compact(pre.exposureCap) }),
    isDue: isDue(definition, { pre, information, tau, engines }, context),
    isQuarantined: quarantined,
    engines,
    detectable: steps.map(({ n1, n0 }, s) => {
      if (engines[s] === 'N') return rounded(detectableEffect(information[s]!, tau, lnThresholdAt(s)));
      if (engines[s] === 'L') return rounded(detectableHazard(pre.level, n1, n0, lnThresholdAt(s)));
      return null;
    }),
    judgeable: steps.map(({ n1, n0 }, s) => {
      if (engines[s] === 'none' || steps[s]!.share === 0) return false;
      return engines[s] === 'N' || lnChoose(n1 + n0, n1) >= lnThresholdAt(s) + attainableReserve;
    }),
  };
}

/** Never chosen from data of the step: large samples need both arms and enough expected events, all else is exact. */
function engineFor(
  definition: MetricDefinition,
  pre: PreMetric,
  step: StepShape,
  policy: JudgePolicy,
): Engine {
  if (step.n0 === 0 || step.weightPpm >= 1_000_000) return 'none';
  switch (definition.kind) {
    case 'rare-event':
      return 'L';
    case 'gauge':
    case 'ratio': {
      const isLarge = step.n1 >= policy.minInstances && step.n0 >= policy.minInstances;
      const bakes = policy.bakeMs / (policy.prePeriodMs / 2);
      return isLarge && pre.eventsPerInstance * bakes * step.n1 >= policy.minEvents ? 'N' : 'B';
    }
  }
}

/** What one metric must reach at one step by itself. Engine L carries its wealth from step to step and shares nothing. */
function lnBar(definition: MetricDefinition, weight: number, step: StepShape, policy: JudgePolicy): number {
  const share = definition.kind === 'rare-event' ? 1 : step.share;
  return share > 0 ? -Math.log(policy.alpha * weight * share) : Number.POSITIVE_INFINITY;
}

function isDue(
  definition: MetricDefinition,
  {
    pre,
    information,
    tau,
    engines,
  }: { pre: PreMetric; information: readonly number[]; tau: number; engines: readonly Engine[] },
  { steps, policy, orderSalt, critical }: Context,
): boolean {
  const s = steps.findIndex(({ isProofDue }) => isProofDue);
  const step = steps[s];
  if (step === undefined || definition.tier !== 'critical' || engines[s] === 'none') return false;
  const power: ProofPower = {
    lnThreshold: -Math.log(policy.alphaSafe * step.safeShare),
    miss: policy.beta / critical,
  };
  if (definition.absoluteMargin !== undefined) {
    const arms = { n1: step.n1, n0: step.n0, seed: `${orderSalt}:${definition.name}` };
    return isAbsoluteProofDue(definition.absoluteMargin, pre.badShare, arms, power);
  }
  const delta = safeMarginOf(definition);
  return delta !== undefined && engines[s] === 'N' && isRelativeProofDue(delta, information[s]!, tau, power);
}

/** Six digits: enough for what is only read or scaled by, and a plan that stays small in the log. */
function compact(value: number): number {
  return Number(value.toPrecision(6));
}

function rounded(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(3));
}
