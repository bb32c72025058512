import type { PlannedMetric } from './rollout-plan.js';

/** Engine B reads whole windows: where it judges harm, and wherever an absolute margin is to be proven. */
export function usesWindows(metric: PlannedMetric, step: number): boolean {
  return metric.engines[step] === 'B' || metric.definition.absoluteMargin !== undefined;
}
