import type { Totals } from './instance-row.js';

/** What one instance did in each bake of the pre-period, as differences of its totals. Recorded, so that a replay can use it. */
export interface PreRow {
  readonly instance: string;
  /** Where the rollout's own bucketing puts the instance: it is in the canary iff `bucketPpm < weightPpm`. */
  readonly bucketPpm?: number;
  /** Two: the covariate, then the outcome. */
  readonly bakes: readonly Totals[];
  /** Rare events that happened to it in the pre-period, if it was watched. */
  readonly events?: readonly string[];
}
