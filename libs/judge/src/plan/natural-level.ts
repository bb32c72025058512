import type { PlannedMetric } from './rollout-plan.js';

/** The pre-period's level on the scale of hard limits: a geometric mean where the metric is compared by factors. */
export function naturalLevel({ definition, level }: PlannedMetric): number {
  switch (definition.kind) {
    case 'ratio':
    case 'rare-event':
      return level;
    case 'gauge':
      return definition.scale === 'linear' ? level : Math.exp(level);
  }
}
