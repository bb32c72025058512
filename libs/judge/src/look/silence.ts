import type { RolloutPlan } from '../plan/rollout-plan.js';
import type { Reporters } from './reporters.js';

/** How likely one failure becomes known in a step's time, where the policy does not say: a guess, and said to be one. */
export const defaultSignalProbability = 0.1;

/** −ln 0.05, the "rule of three": nothing seen in n trials bounds the rate by 3/n with 95 % confidence. */
const ruleOfThree = 3;

/** What can be concluded from nobody having said anything: share of broken instances ≤ 3/(n_ON·q) with 95 % confidence. */
export function silenceSentence(plan: RolloutPlan, step: number, reporters: Reporters): string {
  const q = plan.policy.signalProbability ?? defaultSignalProbability;
  const planned = Math.round((plan.fleetSize * plan.steps[step]!.weightPpm) / 1_000_000);
  const canaries = Math.max(reporters.canary, reporters.expected1, planned);
  if (canaries === 0)
    return 'what silence shows: nothing, as nobody knows how many instances run the new path';
  const share = ruleOfThree / (canaries * q);
  const known = `if a failure becomes known with probability ${q} in that time`;
  if (share >= 1)
    return `what silence shows: nothing, as ${canaries} instances on the new path are too few to hear of one, ${known}`;
  return `what silence shows: with 95 % confidence at most ${Number((share * 100).toPrecision(3))} % of the ${canaries} instances on the new path are broken, ${known}`;
}

/** A time as people say it. */
export function span(ms: number): string {
  const units = [
    { name: 'h', ms: 3_600_000 },
    { name: 'min', ms: 60_000 },
  ];
  const unit = units.find((one) => ms >= one.ms) ?? { name: 's', ms: 1_000 };
  return `${Number((ms / unit.ms).toFixed(1))} ${unit.name}`;
}
