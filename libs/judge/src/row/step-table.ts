/**
 * One look's input, in columns. Instances ascend by id (code units), and every sum runs in that order, so that the
 * same rows give the same bits whoever adds them up. `metrics` is aligned with `plan.metrics`.
 */
export interface StepTable {
  readonly instances: readonly string[];
  /** 1 = canary, 0 = baseline; by assignment (the bucket), never by what a report says. */
  readonly canary: Uint8Array;
  /** 1 = reported in the pre-period; only these can lose their heartbeat. */
  readonly known: Uint8Array;
  /** 1 = at least one report in this step after its warm-up. */
  readonly reported: Uint8Array;
  /** When its reports stopped for longer than the policy allows, first since the rollout began. NaN = never. */
  readonly lostAt: Float64Array;
  /** When the instance's windows (quarter, half, whole bake) were finished; NaN = not yet. */
  readonly finishedAt: readonly [Float64Array, Float64Array, Float64Array];
  readonly metrics: readonly MetricColumns[];
}

export type MetricColumns = RatioColumns | GaugeColumns | RareEventColumns;

/** y events over exposure w: so far in the step, at each finished window, and in the whole pre-period. NaN = nothing known. */
export interface RatioColumns {
  readonly kind: 'ratio';
  readonly now: RatioSums;
  /** Null where engine B has nothing to do with this metric. */
  readonly windows: readonly [RatioSums, RatioSums, RatioSums] | null;
  readonly pre: RatioSums;
}

export interface RatioSums {
  readonly y: Float64Array;
  readonly w: Float64Array;
}

/** Mean level per instance (of logarithms where the metric's scale is `log`). NaN = no reading. */
export interface GaugeColumns {
  readonly kind: 'gauge';
  readonly now: Float64Array;
  readonly windows: readonly [Float64Array, Float64Array, Float64Array] | null;
  readonly pre: Float64Array;
}

/** First event since the rollout began, by the caller's clock. NaN = none. */
export interface RareEventColumns {
  readonly kind: 'rare-event';
  readonly at: Float64Array;
}
