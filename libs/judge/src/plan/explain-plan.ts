import type { PlannedMetric, RolloutPlan } from './rollout-plan.js';

/** The plan for people: what each step can see, and what must be proven. One line each, plain text. */
export function explainPlan(plan: RolloutPlan): readonly string[] {
  const steps = plan.steps.map(({ weightPpm }) => `${weightPpm / 10_000} %`).join(', ');
  const holdBack = plan.holdBackPpm > 0 ? `, hold-back ${plan.holdBackPpm / 10_000} %` : ', no hold-back';
  return [
    `${plan.fleetSize} instances reported; steps ${steps}${holdBack}; at least ${duration(stepMs(plan))} each`,
    ...(plan.mode === 'sparse' ? ['too few report to compare arms: steps go by time and hard limits'] : []),
    ...plan.steps.map((_, s) => stepLine(plan, s)),
    `evidence of ${Number((1 / plan.policy.alpha).toPrecision(3))} rolls back: at most ${Number((plan.policy.alpha * 100).toPrecision(3))} % of harmless rollouts`,
    ...proofLines(plan),
    ...plan.metrics
      .filter(({ isQuarantined }) => isQuarantined)
      .map(
        ({ definition }) => `${definition.name} already differed between the future arms and is not judged`,
      ),
    ...plan.refusals.map((refusal) => `REFUSED: ${refusal}`),
  ];
}

const namedAtMost = 4;

function stepLine(plan: RolloutPlan, s: number): string {
  const { weightPpm, isJudgeable } = plan.steps[s]!;
  const at = `at ${weightPpm / 10_000} %`;
  if (weightPpm >= 1_000_000) return `${at}: nobody left to compare with, hard limits only`;
  if (!isJudgeable) return `${at}: too small to judge, bake time and hard limits only`;
  const seen = plan.metrics
    .filter(({ definition, detectable }) => definition.tier === 'critical' && detectable[s] !== null)
    .slice(0, namedAtMost)
    .map((metric) => sees(metric, s));
  const rest = plan.metrics.some(({ definition, judgeable, detectable }) => {
    return definition.tier === 'critical' && judgeable[s] && detectable[s] === null;
  });
  if (seen.length === 0) return `${at}: this rollout can see gross breakage only`;
  return `${at}: this rollout can see ${seen.join(', ')}${rest ? '; of the rest, gross breakage' : ''}`;
}

/** Rare events are told as factors: "+9900 %" of almost nothing says little. */
function sees({ definition, detectable }: PlannedMetric, s: number): string {
  const effect = detectable[s]!;
  switch (definition.kind) {
    case 'rare-event':
      return `${definition.name} ≥ ×${Number((1 + effect).toPrecision(2))}`;
    case 'ratio':
    case 'gauge':
      return `${definition.name} ≥ ${definition.worse === 'up' ? '+' : '−'}${Number((effect * 100).toPrecision(2))} %`;
  }
}

function proofLines({ metrics }: RolloutPlan): readonly string[] {
  const due = metrics.filter(({ isDue }) => isDue).map(({ definition }) => definition.name);
  return due.length > 0 ? [`to be proven within their margins at 50 %: ${due.join(', ')}`] : [];
}

function stepMs({ policy }: RolloutPlan): number {
  return policy.warmUpMs + policy.bakeMs + 1.5 * policy.reportMs;
}

function duration(ms: number): string {
  if (ms >= 5_400_000) return `${Number((ms / 3_600_000).toPrecision(3))} h`;
  if (ms >= 90_000) return `${Number((ms / 60_000).toPrecision(3))} min`;
  return `${Number((ms / 1000).toPrecision(3))} s`;
}
