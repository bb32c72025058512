/**
 * What was done between which packs of TELEMETRY. Together with the log's rollout this is all that a look was made of: the same
 * script over the same stream makes the same bytes, whenever and wherever it is run.
 */
export interface Script {
  /** First sequence that was folded, if it had a report for this rollout. */
  readonly from: number;
  readonly acts: readonly Act[];
}

/** Done at `at`, when every pack up to sequence `after` had been folded and no later one. */
export type Act =
  | { readonly kind: 'restart'; readonly at: number; readonly after: number }
  | { readonly kind: 'plan'; readonly at: number; readonly after: number }
  | { readonly kind: 'step'; readonly step: number; readonly at: number; readonly after: number }
  | {
      readonly kind: 'look';
      readonly at: number;
      readonly after: number;
      /** How many of the signals raised in the log were known; absent for none. */
      readonly signals?: number;
    };
