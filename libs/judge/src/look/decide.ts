import { graceMs } from '../engine/cohort.js';
import { safeMarginOf } from '../metric.js';
import type { RolloutPlan } from '../plan/rollout-plan.js';
import type { Averages } from './average.js';
import { type LimitState, limitStreakNeeded } from './hard-limits.js';
import type { Decision, LookCode } from './look.js';
import type { Reporters } from './reporters.js';
import type { Signal } from './signal.js';
import type { SignalWeight } from './weigh-signals.js';

/** Everything the decision depends on. */
export interface Situation {
  readonly plan: RolloutPlan;
  readonly step: number;
  readonly elapsedMs: number;
  readonly reporters: Reporters;
  readonly limits: readonly LimitState[];
  readonly averages: Averages;
  readonly srm: number;
  readonly signals: readonly Signal[];
  readonly signalWeight: SignalWeight;
}

export interface Outcome {
  readonly decision: Decision;
  readonly code: LookCode;
  readonly proven: readonly string[];
  readonly unproven: readonly string[];
  readonly notDue: readonly string[];
}

const fewestReporters = 5;
const lateBelow = 0.9;

/**
 * The decision sequence (small-fleets.md §3), first match wins. Every path leaves a step within
 * max(maxBake, sparse time) + holdMax, with nobody's help.
 */
export function decide(situation: Situation): Outcome {
  const { plan, step, elapsedMs, limits, averages, srm } = situation;
  const { policy } = plan;
  const proofs = weighProofs(situation);
  const as = (decision: Decision, code: LookCode): Outcome => ({ decision, code, ...proofs });
  const rollBack = (code: LookCode) => as(policy.irreversible ? 'stop' : 'roll-back', code);
  const bakeEndsMs = bakeEndsMsOf(plan);
  const maxBakeEndsMs = Math.max(bakeEndsMs, policy.warmUpMs + policy.maxBakeMs);
  const holdEndsMs = maxBakeEndsMs + policy.holdMaxMs;

  if (limits.some(({ streak }) => streak >= limitStreakNeeded)) return rollBack('limit');
  if (isProvenWorse(plan, averages)) return rollBack('worse');
  const heed = isSignalStep(situation, bakeEndsMs) ? situation.signalWeight.heed : 'none';
  if (heed === 'enough') return rollBack('signal');
  if (srm >= policy.srmThreshold) return elapsedMs < holdEndsMs ? as('hold', 'srm') : rollBack('srm');
  const sparse = isSparse(situation);
  const sparseOverMs = sparse ? sparseEndsMs(plan, step) : 0;
  if (heed === 'alone' && elapsedMs < Math.max(maxBakeEndsMs, sparseOverMs) + policy.holdMaxMs)
    return as('hold', 'signal');
  if (elapsedMs < bakeEndsMs) return as('wait', 'baking');
  if (elapsedMs < sparseOverMs) return as('wait', 'sparse');
  const tiny = isTiny(situation);
  const due = sparse || tiny ? [] : proofs.unproven;
  if (elapsedMs < maxBakeEndsMs) {
    if (averages.lnEBar >= Math.log(policy.leanThreshold)) return as('extend', 'leaning');
    if (isLate(situation.reporters)) return as('extend', 'late');
    if (due.length > 0) return as('extend', 'not-proven-yet');
  }
  if (due.length > 0) {
    if (elapsedMs < holdEndsMs) return as('hold', 'unproven');
    return policy.onUnproven === 'roll-back' ? rollBack('unproven') : as('promote', 'unproven');
  }
  return as('promote', promotionCode(situation, sparse, tiny));
}

function isProvenWorse({ policy }: RolloutPlan, { lnEBar, strictExcess }: Averages): boolean {
  switch (policy.rollbackRule) {
    case 'average':
      return lnEBar >= -Math.log(policy.alpha);
    case 'strict':
      return strictExcess >= 0;
  }
}

/** An arm that is too small to say anything, whoever is missing. */
function isTiny({ plan, step, reporters }: Situation): boolean {
  const hasBaseline = plan.steps[step]!.weightPpm < 1_000_000;
  return reporters.canary < fewestReporters || (hasBaseline && reporters.baseline < fewestReporters);
}

/**
 * Reports are sparse when such an arm should have been larger. Four canaries that the hash put there and that all report
 * are no reason to wait for signals: the step is too small, and is left when its bake is over.
 */
function isSparse(situation: Situation): boolean {
  const { plan, reporters } = situation;
  if (plan.mode === 'sparse') return true;
  const isMissing = (heard: number, expected: number) =>
    heard < fewestReporters && heard < lateBelow * expected;
  return (
    isMissing(reporters.canary, reporters.expected1) || isMissing(reporters.baseline, reporters.expected0)
  );
}

/**
 * Signals decide where reports cannot: in a sparse plan, in an arm that is too small however many report, and, once the bake is
 * over and it can be told, where hardly anybody reported.
 */
export function isSignalStep(situation: Situation, bakeEndsMs: number): boolean {
  const { plan, step, elapsedMs, reporters } = situation;
  if (plan.mode === 'sparse') return true;
  if (elapsedMs >= bakeEndsMs) return isSparse(situation) || isTiny(situation);
  const hasBaseline = plan.steps[step]!.weightPpm < 1_000_000;
  const isSmall = (heard: number, expected: number) => Math.max(heard, expected) < fewestReporters;
  return (
    isSmall(reporters.canary, reporters.expected1) ||
    (hasBaseline && isSmall(reporters.baseline, reporters.expected0))
  );
}

export function bakeEndsMsOf({ policy }: RolloutPlan): number {
  return policy.warmUpMs + policy.bakeMs + graceMs(policy);
}

function sparseEndsMs({ policy }: RolloutPlan, step: number): number {
  return step === 0 ? policy.firstSparseTimeMs : policy.sparseTimeMs;
}

function isLate({ expected1, expected0, finished1, finished0 }: Reporters): boolean {
  const armIsLate = (finished: number, expected: number) => expected >= 20 && finished < lateBelow * expected;
  return armIsLate(finished1, expected1) || armIsLate(finished0, expected0);
}

/** Which critical margins are proven, which are due and are not, and which nobody promised. */
function weighProofs({ plan, step, averages }: Situation): Pick<Outcome, 'proven' | 'unproven' | 'notDue'> {
  const bar = -Math.log(plan.policy.alphaSafe);
  const isDueHere = plan.steps[step]!.isProofDue;
  const proven: string[] = [];
  const unproven: string[] = [];
  const notDue: string[] = [];
  plan.metrics.forEach(({ definition, isDue }, m) => {
    if (definition.tier !== 'critical') return;
    const hasMargin = definition.absoluteMargin !== undefined || safeMarginOf(definition) !== undefined;
    if (hasMargin && averages.lnSafe[m]! >= bar) proven.push(definition.name);
    else if (isDue && isDueHere) unproven.push(definition.name);
    else if (!isDue) notDue.push(definition.name);
  });
  return { proven, unproven, notDue };
}

function promotionCode({ plan, step }: Situation, sparse: boolean, tiny: boolean): LookCode {
  const { weightPpm, isJudgeable } = plan.steps[step]!;
  if (sparse) return 'unjudged:no-reports';
  if (weightPpm >= 1_000_000) return 'unjudged:no-hold-back';
  return tiny || !isJudgeable ? 'unjudged:too-small' : 'judged';
}
