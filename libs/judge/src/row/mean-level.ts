import type { GaugeMetric } from '../metric.js';
import type { GaugeTotal } from './instance-row.js';

/** Mean reading (of logarithms unless the metric is linear); NaN where there was none. */
export function meanLevel(metric: GaugeMetric, total: GaugeTotal | undefined): number {
  if (total === undefined) return Number.NaN;
  if (metric.scale === 'linear') return total.count > 0 ? total.sum / total.count : Number.NaN;
  return total.logCount > 0 ? total.logSum / total.logCount : Number.NaN;
}
