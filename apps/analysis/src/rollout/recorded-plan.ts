import type { EventData, JsonValue } from '@headgate/contracts';
import { explainPlan, type RolloutPlan } from '@headgate/judge';
import { canonicalJson, sha256Hex } from '@headgate/trust';

/** Up to where TELEMETRY had been read when the plan was made: the pre-period's rows are cut there for good. */
export interface PlanCut {
  readonly at: number;
  readonly after: number;
}

type Planned = EventData<'rollout-planned.v1'>;

/** The plan as the log keeps it: the judge's plan and where it was cut. */
export function recordPlan(plan: RolloutPlan, cut: PlanCut): Planned {
  // Through JSON, so that what is digested, logged and read back is one and the same.
  const recorded = JSON.parse(JSON.stringify({ ...plan, cut })) as JsonValue;
  return {
    ladderPpm: plan.steps.map(({ weightPpm }) => weightPpm),
    bakeMs: Math.round(plan.policy.bakeMs),
    plan: recorded,
    planDigest: sha256Hex(canonicalJson(recorded)),
    why: sentenceOf(plan),
  };
}

/** Only ever what `recordPlan` wrote: the log is checked by its digests, not by this. */
export function readPlan({ plan }: Planned): { readonly plan: RolloutPlan; readonly cut: PlanCut } {
  const { cut, ...rest } = plan as unknown as RolloutPlan & { cut: PlanCut };
  return { plan: rest as RolloutPlan, cut };
}

const sentenceOf = (plan: RolloutPlan): string =>
  (explainPlan(plan)[0] ?? `planned for ${plan.fleetSize} instances`).slice(0, 2_000);
