import type { GaugeMetric, RatioMetric } from '../metric.js';
import type { PlannedMetric } from '../plan/rollout-plan.js';
import type { GaugeColumns, RatioColumns } from '../row/step-table.js';
import type { Scores } from './contrast.js';

/** Which hypothesis a score stands for: more than `margin` worse (harm), or less than `margin` worse (safety). */
export interface Hypothesis {
  readonly toward: 'harm' | 'safety';
  readonly margin: number;
}

export interface Scale {
  /** One unit of relative effect, in units of the score. */
  readonly unit: number;
  /** Events expected in the canary if it is like the rest; infinite where events are not what is counted. */
  readonly expectedEvents: number;
}

function signOf(metric: RatioMetric | GaugeMetric): 1 | -1 {
  return metric.worse === 'up' ? 1 : -1;
}

/**
 * sᵢ = yᵢ − R·wᵢ·(1 + X·ONᵢ), R the pooled ratio under the hypothesis' boundary: its mean differs between the arms by
 * as much as the canary is worse than X. The weight of one huge instance is cut at the fleet's 99th percentile.
 */
export function ratioScores(
  { level, exposureCap, exposureMean }: PlannedMetric,
  metric: RatioMetric,
  columns: RatioColumns,
  canary: Uint8Array,
  hypothesis: Hypothesis,
  into: Scores,
): Scale {
  const { y, w } = columns.now;
  const { y: preY, w: preW } = columns.pre;
  const boundary = 1 + signOf(metric) * hypothesis.margin;
  const direction = signOf(metric) * (hypothesis.toward === 'harm' ? 1 : -1);
  const capPre = exposureCap ?? Number.POSITIVE_INFINITY;
  const cap = (capPre / (exposureMean ?? 1)) * meanExposure(w);

  const { score, covariate, canary: arm } = into;
  // Arms are random, so a branch on them is mispredicted: they are multiplied in (`on` is 0 or 1).
  let events = 0;
  let exposure = 0;
  let exposure1 = 0;
  for (let i = 0; i < w.length; i++) {
    const wi = w[i]!;
    if (!(wi > 0)) continue;
    const cut = wi > cap ? cap / wi : 1;
    events += y[i]! * cut;
    exposure += wi * cut;
    exposure1 += canary[i]! * wi * cut;
  }
  const ratio = events / (exposure + (boundary - 1) * exposure1);
  const ratioOn = ratio * (boundary - 1);
  let n = 0;
  for (let i = 0; i < w.length; i++) {
    const wi = w[i]!;
    if (!(wi > 0)) continue;
    const cut = wi > cap ? cap / wi : 1;
    const on = canary[i]!;
    score[n] = direction * cut * (y[i]! - (ratio + on * ratioOn) * wi);
    const preWi = preW[i]!;
    const preCut = preWi > capPre ? capPre / preWi : 1;
    covariate[n] = preCut * (preY[i]! - level * preWi);
    arm[n] = on;
    n += 1;
  }
  into.n = n;
  return { unit: (ratio * exposure) / n, expectedEvents: ratio * exposure1 };
}

function meanExposure(w: Float64Array): number {
  let sum = 0;
  let n = 0;
  for (let i = 0; i < w.length; i++) {
    const wi = w[i]!;
    if (!(wi > 0)) continue;
    sum += wi;
    n += 1;
  }
  return sum / n;
}

/** sᵢ = mean log level − ONᵢ·log(1 + X), or without logarithms and relative to the pre-period's level. */
export function gaugeScores(
  { level }: PlannedMetric,
  metric: GaugeMetric,
  columns: GaugeColumns,
  canary: Uint8Array,
  hypothesis: Hypothesis,
  into: Scores,
): Scale {
  const direction = signOf(metric) * (hypothesis.toward === 'harm' ? 1 : -1);
  const shift = gaugeShift(metric, level, hypothesis.margin);
  const { now, pre } = columns;
  const { score, covariate, canary: arm } = into;
  let k = 0;
  for (let i = 0; i < now.length; i++) {
    const x = now[i]!;
    if (Number.isNaN(x)) continue;
    const on = canary[i]!;
    score[k] = direction * (x - on * shift);
    covariate[k] = pre[i]!;
    arm[k] = on;
    k += 1;
  }
  into.n = k;
  return { unit: gaugeUnit(metric, level), expectedEvents: Number.POSITIVE_INFINITY };
}

/** What a decay of exactly `margin` adds to an instance's level. */
export function gaugeShift(metric: GaugeMetric, level: number, margin: number): number {
  const relative = signOf(metric) * margin;
  return metric.scale === 'linear' ? relative * gaugeUnit(metric, level) : Math.log1p(relative);
}

function gaugeUnit(metric: GaugeMetric, level: number): number {
  return metric.scale === 'linear' && level !== 0 ? Math.abs(level) : 1;
}
