import type { GaugeMetric, MetricDefinition, RatioMetric } from '../metric.js';
import { meanLevel } from '../row/mean-level.js';
import type { PreRow } from '../row/pre-row.js';

/** What the pre-period says of one metric. `outcome` and `covariate` are the scores of its two halves, in id order. */
export interface PreMetric {
  readonly level: number;
  /** One unit of relative effect, in units of the score. */
  readonly unit: number;
  readonly outcome: Float64Array;
  readonly covariate: Float64Array;
  /** Bad share per instance in the outcome half, in [0, 1]: what engine B reads. NaN = no exposure. */
  readonly badShare: Float64Array;
  /** Events per instance and half; infinite where events are not what is counted. */
  readonly eventsPerInstance: number;
  readonly exposureMean?: number;
  readonly exposureCap?: number;
}

export function readPrePeriod(metric: MetricDefinition, preRows: readonly PreRow[]): PreMetric {
  switch (metric.kind) {
    case 'ratio':
      return preRatio(metric, preRows);
    case 'gauge':
      return preGauge(metric, preRows);
    case 'rare-event':
      return preEvent(metric.event, preRows);
  }
}

function preRatio(metric: RatioMetric, preRows: readonly PreRow[]): PreMetric {
  const counter = (row: PreRow, half: number, name: string) => row.bakes[half]?.counters[name] ?? 0;
  const column = (half: number, name: string) =>
    Float64Array.from(preRows, (row) => counter(row, half, name));
  const y = [column(0, metric.numerator), column(1, metric.numerator)];
  const w = [column(0, metric.denominator), column(1, metric.denominator)];
  const events = total(y[0]!) + total(y[1]!);
  const exposure = total(w[0]!) + total(w[1]!);
  const level = exposure > 0 ? events / exposure : 0;
  const both = w[0]!.map((w0, i) => w0 + w[1]![i]!).filter((both) => both > 0);
  const cap = percentile(both, 0.99);
  const score = (half: number) =>
    Float64Array.from(preRows, (_, i) => {
      const wi = w[half]![i]!;
      const cut = wi > cap / 2 ? cap / 2 / wi : 1;
      return wi > 0 ? cut * (y[half]![i]! - level * wi) : Number.NaN;
    });
  const perInstance = preRows.length > 0 ? exposure / 2 / preRows.length : 0;
  return {
    level,
    unit: level * perInstance,
    outcome: score(1),
    covariate: score(0),
    badShare: Float64Array.from(preRows, (_, i) => badShare(metric, y[1]![i]!, w[1]![i]!)),
    eventsPerInstance: level * perInstance,
    exposureMean: both.length > 0 ? exposure / both.length : 0,
    exposureCap: cap,
  };
}

/** Share of an instance's exposure that was bad, held inside [0, 1]; NaN without exposure. */
export function badShare(metric: RatioMetric, y: number, w: number): number {
  if (!(w > 0)) return Number.NaN;
  const share = Math.min(1, Math.max(0, y / w));
  return metric.worse === 'up' ? share : 1 - share;
}

function preGauge(metric: GaugeMetric, preRows: readonly PreRow[]): PreMetric {
  const half = (k: number) =>
    Float64Array.from(preRows, (row) => meanLevel(metric, row.bakes[k]?.gauges[metric.gauge]));
  const covariate = half(0);
  const outcome = half(1);
  const known = [...covariate, ...outcome].filter((x) => !Number.isNaN(x));
  const level = known.length > 0 ? total(known) / known.length : 0;
  return {
    level,
    unit: metric.scale === 'linear' && level !== 0 ? Math.abs(level) : 1,
    outcome,
    covariate,
    badShare: new Float64Array(0),
    eventsPerInstance: Number.POSITIVE_INFINITY,
  };
}

function preEvent(event: string, preRows: readonly PreRow[]): PreMetric {
  const happened = Float64Array.from(preRows, (row) => (row.events?.includes(event) ? 1 : 0));
  // Watched over both halves: half of the share belongs to one.
  const level = happened.length > 0 ? total(happened) / happened.length / 2 : 0;
  return {
    level,
    unit: 1,
    outcome: happened,
    covariate: new Float64Array(happened.length).fill(Number.NaN),
    badShare: happened,
    eventsPerInstance: level,
  };
}

function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

function percentile(values: Float64Array, share: number): number {
  if (values.length === 0) return Number.POSITIVE_INFINITY;
  const sorted = values.slice().sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** Variance of the outcome after regression on the covariate: what a comparison of arms will have to see through. */
export function residualVariance({ outcome, covariate }: PreMetric): number {
  const pairs: number[] = [];
  for (let i = 0; i < outcome.length; i++) if (!Number.isNaN(outcome[i])) pairs.push(i);
  if (pairs.length < 3) return Number.NaN;
  const mean = (of: Float64Array, over: readonly number[]) =>
    over.reduce((sum, i) => sum + of[i]!, 0) / over.length;
  const known = pairs.filter((i) => !Number.isNaN(covariate[i]));
  const meanY = mean(outcome, pairs);
  const meanV = known.length > 0 ? mean(covariate, known) : 0;
  let cross = 0;
  let squareV = 0;
  for (const i of known) {
    cross += (outcome[i]! - meanY) * (covariate[i]! - meanV);
    squareV += (covariate[i]! - meanV) ** 2;
  }
  const slope = squareV > 0 ? cross / squareV : 0;
  let residual = 0;
  for (const i of pairs) {
    const v = covariate[i]!;
    residual += (outcome[i]! - meanY - (!Number.isNaN(v) ? slope * (v - meanV) : 0)) ** 2;
  }
  return residual / (pairs.length - 2);
}
