import { eBenjaminiHochberg } from '../e-bh.js';
import { betOrder, graceMs } from '../engine/cohort.js';
import { openScores } from '../engine/contrast.js';
import { lnSampleRatio } from '../engine/sample-ratio.js';
import { expBounded } from '../numeric/ln-sum.js';
import type { RolloutPlan } from '../plan/rollout-plan.js';
import type { StepTable } from '../row/step-table.js';
import { type Averages, average } from './average.js';
import { decide, type Outcome, type Situation } from './decide.js';
import { gatherEvidence } from './gather-evidence.js';
import { checkHardLimits } from './hard-limits.js';
import type { History, Look, StepRecord } from './look.js';
import { countReporters } from './reporters.js';
import { metricLooks, verdictSentences } from './sentences.js';
import type { Signal } from './signal.js';
import type { StepEvidence } from './step-evidence.js';
import { limitSignals, weighSignals } from './weigh-signals.js';

export interface JudgeInput {
  readonly plan: RolloutPlan;
  readonly step: number;
  readonly stepStartedAt: number;
  readonly now: number;
  readonly rows: StepTable;
  readonly history: History;
  /** Crashes, objections and local rollbacks known by now, in the order in which they became known; broken limits are added here. */
  readonly signals?: readonly Signal[];
}

/**
 * One look: gathers the evidence of this step, averages it with former steps, and says what to do. Pure: the same input
 * gives the same bytes. Looks may come at any time and as often as anybody likes.
 */
export function judge(input: JudgeInput): Look {
  const { plan, step, rows, history } = input;
  checkFit(plan, step, rows);
  const former = history.steps.filter((record) => record.step < step);
  const sameStep = history.steps.find((record) => record.step === step);
  const evidence = gatherAll(input, former.at(-1), sameStep);
  const limits = checkHardLimits(plan, rows, sameStep?.limitStreaks ?? []);
  const record = recordOf(
    step,
    input.now,
    evidence,
    limits.map(({ streak }) => streak),
  );
  const records = [...former, record];
  const averages = average(plan, records);
  const reporters = countReporters(rows);
  const share = plan.steps[step]!.weightPpm / 1_000_000;
  const signals = [...(input.signals ?? []), ...limitSignals(limits, input.now)];
  const situation: Situation = {
    plan,
    step,
    elapsedMs: input.now - input.stepStartedAt,
    reporters,
    limits,
    averages,
    srm: expBounded(lnSampleRatio(reporters.canary, reporters.baseline, share)),
    signals,
    signalWeight: weighSignals(plan, step, signals, former.at(-1)?.at ?? Number.NEGATIVE_INFINITY),
  };
  return report(input, situation, decide(situation), evidence, { steps: records });
}

/** A table of another plan is a bug of the caller, and would be judged without a word. */
function checkFit(plan: RolloutPlan, step: number, rows: StepTable): void {
  if (plan.steps[step] === undefined)
    throw new RangeError(`the plan has ${plan.steps.length} steps and no step ${step}`);
  const wanted = plan.metrics.map(({ definition }) => definition.kind).join();
  const given = rows.metrics.map(({ kind }) => kind).join();
  if (wanted !== given)
    throw new TypeError('the table was made for another plan: its metrics are of other kinds');
}

function gatherAll(
  { plan, step, stepStartedAt, now, rows }: JudgeInput,
  former: StepRecord | undefined,
  sameStep: StepRecord | undefined,
): readonly StepEvidence[] {
  let order: Uint32Array | undefined;
  const context = {
    plan,
    step,
    stepStartedAt,
    now,
    table: rows,
    scores: openScores(rows.instances.length),
    order: () => (order ??= betOrder(plan.orderSalt, rows.instances)),
  };
  return plan.metrics.map((metric, m) =>
    gatherEvidence(
      metric,
      rows.metrics[m]!,
      {
        information: sameStep?.information[m] ?? 0,
        safeInformation: sameStep?.safeInformation[m] ?? 0,
        hazards: former?.hazards[m] ?? [],
      },
      context,
    ),
  );
}

function recordOf(
  step: number,
  at: number,
  evidence: readonly StepEvidence[],
  limitStreaks: readonly number[],
): StepRecord {
  return {
    step,
    at,
    lnE: evidence.map(({ lnE }) => lnE),
    lnSafe: evidence.map(({ lnSafe }) => lnSafe),
    information: evidence.map(({ information }) => information),
    safeInformation: evidence.map(({ safeInformation }) => safeInformation),
    hazards: evidence.map(({ hazards }) => hazards),
    limitStreaks,
  };
}

function report(
  { plan, step, now }: JudgeInput,
  situation: Situation,
  outcome: Outcome,
  evidence: readonly StepEvidence[],
  history: History,
): Look {
  const { averages, reporters, srm, signals } = situation;
  const perMetric = metricLooks(plan, step, evidence, averages);
  return {
    decision: outcome.decision,
    code: outcome.code,
    step,
    weightPpm: plan.steps[step]!.weightPpm,
    at: now,
    eBar: expBounded(averages.lnEBar),
    lnEBar: averages.lnEBar,
    threshold: 1 / plan.policy.alpha,
    srm,
    canary: reporters.canary,
    baseline: reporters.baseline,
    perMetric,
    eBH: isOver(outcome) ? discoveries(plan, averages) : [],
    proven: outcome.proven,
    unproven: outcome.unproven,
    notDue: outcome.notDue,
    reasons: verdictSentences(situation, outcome, perMetric),
    ...(signals.length > 0 && { signals }),
    history,
  };
}

function isOver({ decision }: Outcome): boolean {
  return decision === 'roll-back' || decision === 'stop';
}

/** At the stopping time only: running maxima would not hold the rate. */
function discoveries(plan: RolloutPlan, { lnE }: Averages): readonly string[] {
  const named = plan.metrics.map(({ definition }, m) => ({ name: definition.name, lnE: lnE[m]! }));
  return eBenjaminiHochberg(named, plan.policy.alpha);
}

/** Earliest age at which a step can be promoted: the bake, and the time for everybody's report of it. */
export function earliestPromotionMs(plan: RolloutPlan): number {
  return plan.policy.warmUpMs + plan.policy.bakeMs + graceMs(plan.policy);
}
