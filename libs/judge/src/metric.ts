export type Arm = 'canary' | 'baseline';

/** Critical metrics share half of the error budget; the rest share the other half. */
export type Tier = 'critical' | 'other';

/** Which direction of the metric is bad: errors are worse `up`, cache hits are worse `down`. */
export type Worse = 'up' | 'down';

interface Margins {
  readonly name: string;
  readonly tier: Tier;
  /**
   * Tolerated relative decay X: 0.05 = "5 % worse is fine", 0 = "no decay", −0.01 = "must improve by 1 %".
   * Harm is proven when the evidence says that the canary is worse than this.
   */
  readonly margin: number;
  /**
   * Relative δ within which the canary is to be *proven* at the 50 % step, if the plan finds that it can be;
   * `margin` itself where that is not 0.
   */
  readonly safeMargin?: number;
  /** The same in absolute terms (0.01 = one point more of failing requests); exact at any fleet size. */
  readonly absoluteMargin?: number;
}

/** Ratio of two cumulative counters: failed requests / requests, restarts / seconds of uptime. */
export interface RatioMetric extends Margins {
  readonly kind: 'ratio';
  readonly numerator: string;
  readonly denominator: string;
  readonly worse: Worse;
}

/** A level that is read at every report: memory, queue length. */
export interface GaugeMetric extends Margins {
  readonly kind: 'gauge';
  readonly gauge: string;
  readonly worse: Worse;
  /** `log` (default) compares by factor and drops values ≤ 0; `linear` is for levels that may be zero or negative. */
  readonly scale?: 'log' | 'linear';
}

/** Something that happens to an instance at most a few times: only the first one since the rollout began counts. */
export interface RareEventMetric extends Margins {
  readonly kind: 'rare-event';
  /** Name in a report's `metrics.events`; `crash` is also set by a crash signature, `HEARTBEAT_LOST` by silence. */
  readonly event: string;
}

/** Closed union: a new kind makes every switch over `kind` fail to compile. */
export type MetricDefinition = RatioMetric | GaugeMetric | RareEventMetric;

export const HEARTBEAT_LOST = 'heartbeat-lost';

/** Always present: a canary that crashes on start silences its own telemetry, and silence must not look healthy. */
export const heartbeatLost: RareEventMetric = {
  kind: 'rare-event',
  name: HEARTBEAT_LOST,
  event: HEARTBEAT_LOST,
  tier: 'critical',
  margin: 0,
};

/** The relative δ to be proven, if any: one number line, so a margin other than 0 serves both verdicts. */
export function safeMarginOf({ safeMargin, margin }: MetricDefinition): number | undefined {
  return safeMargin ?? (margin === 0 ? undefined : margin);
}
