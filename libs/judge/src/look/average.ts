import { lnWeightedSum } from '../numeric/ln-sum.js';
import type { RolloutPlan } from '../plan/rollout-plan.js';
import type { StepRecord } from './look.js';

/** Evidence over all steps so far, one entry per metric; steps that were not reached count as e-value 1. */
export interface Averages {
  readonly lnE: Float64Array;
  readonly lnSafe: Float64Array;
  /** ln of the weighted mean over metrics: what the rollback rule looks at. */
  readonly lnEBar: number;
  /** Rule `strict`: largest evidence of one (metric, step) over its own bar; ≥ 0 = passed. */
  readonly strictExcess: number;
}

/**
 * Ē = Σ_m w_m Σ_s v_s E_{m,s}: a mean of e-values is an e-value, whatever depends on what. Engine L is one process over
 * all steps and is taken as it is; evidence for safety is a mean too, as a maximum over steps would multiply its error.
 */
export function average(plan: RolloutPlan, records: readonly StepRecord[]): Averages {
  const shares = plan.steps.map(({ share }) => share);
  const safeShares = plan.steps.map(({ safeShare }) => safeShare);
  const byStep = plan.steps.map((_, s) => records.find(({ step }) => step === s));
  const newest = records.at(-1);
  const perStep = new Float64Array(shares.length);
  let strictExcess = Number.NEGATIVE_INFINITY;

  const over = (weights: readonly number[], read: (record: StepRecord) => number): number => {
    for (let s = 0; s < perStep.length; s++) perStep[s] = byStep[s] ? read(byStep[s]!) : 0;
    return weights.some((weight) => weight > 0) ? lnWeightedSum(weights, perStep) : 0;
  };
  const raise = (lnE: number, weight: number) => {
    const excess = lnE + Math.log(plan.policy.alpha * weight);
    if (excess > strictExcess) strictExcess = excess;
  };

  const lnE = Float64Array.from(plan.metrics, ({ definition, weight }, m) => {
    if (definition.kind === 'rare-event') {
      const carried = newest?.lnE[m] ?? 0;
      raise(carried, weight);
      return carried;
    }
    for (const { step, lnE } of records) raise(lnE[m]!, weight * shares[step]!);
    return over(shares, (record) => record.lnE[m]!);
  });
  const lnSafe = Float64Array.from(plan.metrics, (_, m) => over(safeShares, (record) => record.lnSafe[m]!));
  const weights = plan.metrics.map(({ weight }) => weight);
  const unspent = Math.max(0, 1 - weights.reduce((a, b) => a + b, 0));
  return { lnE, lnSafe, lnEBar: lnWeightedSum([...weights, unspent], [...lnE, 0]), strictExcess };
}
