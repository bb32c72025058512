import type { MetricDefinition } from '../metric.js';
import type { JudgePolicy } from '../policy.js';

/**
 * N normal mixture (large samples), B betting on the assignment (exact at any size), L log-rank (rare events),
 * `none` where the step has no arm to compare with or the metric is quarantined.
 */
export type Engine = 'N' | 'B' | 'L' | 'none';

/** Everything that must be fixed before the first look. Plain JSON; what is per instance is recomputed from the pre-period. */
export interface RolloutPlan {
  readonly schema: 'rollout-plan.v1';
  readonly mode: 'normal' | 'sparse';
  /** Instances that reported in the pre-period. */
  readonly fleetSize: number;
  readonly policy: JudgePolicy;
  readonly metrics: readonly PlannedMetric[];
  readonly steps: readonly PlannedStep[];
  readonly holdBackPpm: number;
  /** Salts the order in which engine B bets; must not be the salt of the bucket. */
  readonly orderSalt: string;
  /** Why this rollout must not start; empty for one that may. */
  readonly refusals: readonly string[];
}

export interface PlannedMetric {
  readonly definition: MetricDefinition;
  /** Share of the error budget; the shares of all metrics add up to at most 1. */
  readonly weight: number;
  readonly tau: number;
  /** Pre-period level: ratio of sums, mean (of logs) for a gauge, share of instances with the event per bake. */
  readonly level: number;
  /** Mean of the exposure per instance in the pre-period, and its 99th percentile, above which its weight in a ratio is cut. */
  readonly exposureMean?: number;
  readonly exposureCap?: number;
  /** Proof within the safe margin is demanded at the 50 % step. */
  readonly isDue: boolean;
  /** The metric already told the future arms apart in the pre-period; it is reported and not judged. */
  readonly isQuarantined: boolean;
  /** Per step: smallest relative decay found with 80 % power, or null where that cannot be foreseen. */
  readonly detectable: readonly (number | null)[];
  readonly engines: readonly Engine[];
  /** Per step: the data can be enough for a verdict at all. */
  readonly judgeable: readonly boolean[];
}

export interface PlannedStep {
  readonly weightPpm: number;
  /** v_s: share of this step in the average over steps. */
  readonly share: number;
  /** u_s: share of this step in the evidence for safety. */
  readonly safeShare: number;
  /** At least one critical metric can be decided here. */
  readonly isJudgeable: boolean;
  /** What the plan found to be provable must be proven before this step is left. */
  readonly isProofDue: boolean;
  readonly isFinal: boolean;
}
