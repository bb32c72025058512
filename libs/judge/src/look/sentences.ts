import { expBounded } from '../numeric/ln-sum.js';
import type { RolloutPlan } from '../plan/rollout-plan.js';
import type { Averages } from './average.js';
import { bakeEndsMsOf, isSignalStep, type Outcome, type Situation } from './decide.js';
import type { MetricLook } from './look.js';
import type { Signal } from './signal.js';
import { silenceSentence, span } from './silence.js';
import type { StepEvidence } from './step-evidence.js';

/** The numbers of each metric, as people and the verdict event read them. */
export function metricLooks(
  plan: RolloutPlan,
  step: number,
  evidence: readonly StepEvidence[],
  averages: Averages,
): readonly MetricLook[] {
  return plan.metrics.map((metric, m) => {
    const found = evidence[m]!;
    const lnE = averages.lnE[m]!;
    const look = {
      name: metric.definition.name,
      engine: metric.engines[step]!,
      n1: found.n1,
      n0: found.n0,
      e: expBounded(lnE),
      lnE: found.lnE,
      eSafe: expBounded(averages.lnSafe[m]!),
      ...(found.z !== undefined && { z: found.z }),
      ...(found.effect !== undefined && { effect: found.effect }),
    };
    return { ...look, state: stateOf(plan, m, lnE, averages.lnSafe[m]!, found.isEnough) };
  });
}

function stateOf(
  { metrics, policy }: RolloutPlan,
  m: number,
  lnE: number,
  lnSafe: number,
  isEnough: boolean,
): MetricLook['state'] {
  const { weight, isQuarantined } = metrics[m]!;
  if (isQuarantined) return 'quarantined';
  if (lnE >= -Math.log(policy.alpha * weight)) return 'worse';
  if (lnE >= Math.log(policy.leanThreshold)) return 'leaning';
  if (lnSafe >= -Math.log(policy.alphaSafe)) return 'proven-safe';
  return isEnough ? 'quiet' : 'too-few';
}

const namedAtMost = 5;

/** Why this decision, in sentences with numbers; at most fifteen. */
export function verdictSentences(
  situation: Situation,
  outcome: Outcome,
  perMetric: readonly MetricLook[],
): readonly string[] {
  return [...decisionSentences(situation, outcome, perMetric), ...signalSentences(situation, outcome)];
}

/** Signals are named wherever they are known, and it is said when they do not decide. */
function signalSentences(situation: Situation, { code }: Outcome): readonly string[] {
  const { plan, signals, signalWeight } = situation;
  if (signals.length === 0) return [];
  const named = signals.slice(-namedAtMost).map(signalSentence);
  if (code === 'signal') return named;
  const decides = isSignalStep(situation, bakeEndsMsOf(plan));
  const why = decides
    ? `from ${count(signalWeight.sources, 'source')}: fewer than it takes`
    : 'known; this step is judged by reports and not by them';
  return [`${count(signals.length, 'signal')} ${why}`, ...named];
}

function signalSentence({ kind, source, detail }: Signal): string {
  return `${kind} (${source.kind} ${source.name}): ${detail}`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function decisionSentences(
  situation: Situation,
  outcome: Outcome,
  perMetric: readonly MetricLook[],
): readonly string[] {
  const { plan, step, reporters, srm } = situation;
  const arms = `${reporters.canary} canary and ${reporters.baseline} baseline instances at ${plan.steps[step]!.weightPpm / 10_000} %`;
  const evidence = `evidence ${figure(expBounded(situation.averages.lnEBar))} of ${figure(1 / plan.policy.alpha)}`;
  switch (outcome.code) {
    case 'baking':
      return [`baking: ${arms}, ${evidence}`];
    case 'sparse':
      return [`few reports: ${arms}; this step lasts until its sparse time is over`];
    case 'leaning':
      return [
        `the evidence leans: ${evidence} with ${arms}; baking longer`,
        ...accused(situation, perMetric),
      ];
    case 'late':
      return [
        `late: ${reporters.finished1} of ${reporters.expected1} canary and ${reporters.finished0} of ${reporters.expected0} baseline instances have reported their whole bake`,
      ];
    case 'not-proven-yet':
      return [`not proven within its margin yet: ${outcome.unproven.join(', ')}; baking longer`];
    case 'unproven':
      return unprovenSentences(situation, outcome, perMetric);
    case 'worse':
      return [`the canary is worse: ${evidence}, ${arms}`, ...accused(situation, perMetric)];
    case 'limit':
      return situation.limits.filter(({ streak }) => streak > 0).map(({ sentence }) => sentence);
    case 'signal':
      return [
        `${count(situation.signals.length, 'signal')} from ${count(situation.signalWeight.sources, 'source')} at ${plan.steps[step]!.weightPpm / 10_000} %: ${outcome.decision === 'hold' ? 'holding once for a second one' : 'enough where reports are few'}`,
      ];
    case 'srm':
      return [
        `the split is broken: ${arms}, e-value ${figure(srm)} against ${figure(plan.policy.srmThreshold)}`,
      ];
    case 'judged':
      return [`no harm found: ${evidence}, ${arms}`, ...proofSentences(outcome)];
    case 'unjudged:too-small':
      return [`unjudged, ${arms} are too few to tell; bake time and hard limits held`];
    case 'unjudged:no-reports':
      return [
        `unjudged, no reports to speak of: ${arms}; ${span(situation.elapsedMs)}, ${count(situation.signals.length, 'signal')}; time and hard limits held`,
        ...(situation.signals.length === 0 ? [silenceSentence(plan, step, reporters)] : []),
      ];
    case 'unjudged:no-hold-back':
      return [
        'unjudged, everybody has the new path and nobody is left to compare with; bake time and hard limits held',
      ];
  }
}

function unprovenSentences(
  { plan }: Situation,
  { decision, unproven }: Outcome,
  perMetric: readonly MetricLook[],
) {
  const end = decision === 'hold' ? 'holding' : decision === 'promote' ? 'promoted by policy' : 'out of time';
  return unproven.map((name) => {
    const found = perMetric.find((metric) => metric.name === name);
    return `${name} should have been proven within its margin and is not (e-value ${figure(found?.eSafe ?? 1)} of ${figure(1 / plan.policy.alphaSafe)}); ${end}`;
  });
}

function proofSentences({ proven, notDue }: Outcome): readonly string[] {
  return [
    ...(proven.length > 0 ? [`proven within its margin: ${proven.join(', ')}`] : []),
    ...(notDue.length > 0 ? [`proof not due at this size: ${notDue.join(', ')}`] : []),
  ];
}

/** The metrics that carry most of the evidence, heaviest first. */
function accused({ plan, averages }: Situation, perMetric: readonly MetricLook[]): readonly string[] {
  return plan.metrics
    .map(({ weight }, m) => ({ look: perMetric[m]!, carries: averages.lnE[m]! + Math.log(weight) }))
    .filter(({ look }) => look.e > 1)
    .sort((a, b) => b.carries - a.carries)
    .slice(0, namedAtMost)
    .map(({ look }) => accusation(look));
}

function accusation({ name, e, effect, z, n1, n0 }: MetricLook): string {
  const size =
    effect === undefined
      ? ''
      : `, ${effect >= 0 ? '+' : '−'}${figure(Math.abs(effect) * 100)} % beyond its margin`;
  const score = z === undefined ? '' : `, z ${figure(z)}`;
  const arms = n1 + n0 > 0 ? `${n1} against ${n0} instances` : 'before any whole bake was over';
  return `${name}: e-value ${figure(e)}${size}${score} (${arms})`;
}

function figure(value: number): string {
  return value >= 1e6 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
