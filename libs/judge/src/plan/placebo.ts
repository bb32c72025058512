import { contrast, openScores } from '../engine/contrast.js';
import { lnNormalMixture } from '../engine/normal-mixture.js';
import type { MetricDefinition } from '../metric.js';
import { lnWeightedSum } from '../numeric/ln-sum.js';
import type { JudgePolicy } from '../policy.js';
import type { PreRow } from '../row/pre-row.js';
import type { StepShape } from './plan-steps.js';
import type { PreMetric } from './pre-period.js';

/**
 * Judges the pre-period with the arms of the future: whoever is found guilty there, before anything was changed, has
 * tails that engine N does not stand, and is reported instead of judged. Needs the instances' buckets.
 */
export function isQuarantined(input: {
  readonly definition: MetricDefinition;
  readonly pre: PreMetric;
  readonly rows: readonly PreRow[];
  readonly steps: readonly StepShape[];
  readonly weight: number;
  readonly tau: number;
  readonly policy: JudgePolicy;
}): boolean {
  const { definition, pre, rows, steps, weight, tau, policy } = input;
  if (definition.kind === 'rare-event' || rows.some(({ bucketPpm }) => bucketPpm === undefined)) return false;
  const direction = definition.worse === 'up' ? 1 : -1;
  const scores = openScores(rows.length);
  const lnE = steps.map(({ weightPpm, n1, n0 }) => {
    if (n1 < policy.minInstances || n0 < policy.minInstances) return 0;
    let k = 0;
    rows.forEach((row, i) => {
      const outcome = pre.outcome[i]!;
      if (Number.isNaN(outcome)) return;
      scores.score[k] = direction * outcome;
      scores.covariate[k] = pre.covariate[i]!;
      scores.canary[k] = row.bucketPpm! < weightPpm ? 1 : 0;
      k += 1;
    });
    scores.n = k;
    const found = contrast(scores);
    if (found === null || found.n1 < policy.minInstances || found.n0 < policy.minInstances) return 0;
    return lnNormalMixture(found.z, (pre.unit * pre.unit) / found.variance, tau);
  });
  const shares = steps.map(({ share }) => share);
  return lnWeightedSum(shares, lnE) >= -Math.log(policy.alpha * weight);
}
