import { lnWeightedSum } from '../numeric/ln-sum.js';
import { LnProduct } from '../numeric/product.js';
import type { Cohort } from './cohort.js';

/** Shares of the wealth put on one instance: a fixed mixture, so that there is nothing to tune and no luck of the order. */
const betSizes = [0.02, 0.06, 0.15, 0.35, 0.65, 0.95] as const;
const harmMixture = betSizes.map(() => 1 / betSizes.length);
const safetyMixture = [0.06, 0.08, 0.1, 0.12, 0.14, 0.5] as const;

/**
 * Walks a cohort in its order. `p` is the exact chance that the next instance is in the canary, given the arms still to
 * come; where it is 0 or 1 the label says nothing and is skipped.
 */
function walk(cohort: Cohort, bet: (index: number, isCanary: boolean, p: number) => void): void {
  let left1 = 0;
  for (const arm of cohort.canary) left1 += arm;
  let left0 = cohort.canary.length - left1;
  for (let i = 0; i < cohort.canary.length; i++) {
    const isCanary = cohort.canary[i] === 1;
    if (left1 > 0 && left0 > 0) bet(i, isCanary, left1 / (left1 + left0));
    if (isCanary) left1 -= 1;
    else left0 -= 1;
  }
}

/**
 * ln E of "the canary's values are not higher than the baseline's", from ranks pooled over both arms: exact under no
 * effect at any size. Values are compared with each cohort's own, so shocks in time cancel.
 */
export function lnRankHarm(cohorts: readonly Cohort[]): number {
  const plain = betSizes.map(() => new LnProduct());
  const sharp = betSizes.map(() => new LnProduct());
  for (const cohort of cohorts) {
    const ranks = centredMidranks(cohort.value);
    walk(cohort, (i, isCanary, p) => {
      const g = ranks[i]!;
      betOnRank(plain, g, isCanary, p);
      betOnRank(sharp, Math.max(-1, Math.min(1, 3 * g)), isCanary, p);
    });
  }
  const lns = [...plain, ...sharp].map((product) => product.ln);
  return lnWeightedSum(
    lns.map(() => 1 / lns.length),
    lns,
  );
}

function betOnRank(products: readonly LnProduct[], g: number, isCanary: boolean, p: number): void {
  if (g === 0) return;
  const up = g > 0;
  const size = Math.abs(g);
  const gain = up === isCanary;
  const odds = up ? (1 - p) / p : p / (1 - p);
  for (let k = 0; k < betSizes.length; k++) {
    products[k]!.times(gain ? 1 + betSizes[k]! * size * odds : 1 - betSizes[k]! * size);
  }
}

/** 2·midrank/n − 1 with midrank j − ½ and ties averaged: inside (−1, 1), mean 0. */
export function centredMidranks(values: Float64Array): Float64Array {
  const n = values.length;
  const sorted = Float64Array.from(values).sort();
  const rankOf = new Map<number, number>();
  for (let from = 0; from < n; ) {
    let to = from;
    while (to + 1 < n && sorted[to + 1] === sorted[from]) to += 1;
    rankOf.set(sorted[from]!, from + to + 1);
    from = to + 1;
  }
  return Float64Array.from(values, (value) => rankOf.get(value)! / n - 1);
}

/**
 * ln E of "the canary's mean is at most (1 + X) times the baseline's", for values in [0, 1]. `sign` −1 turns the
 * inequality round, for values of which less is worse.
 */
export function lnMeanHarm(cohorts: readonly Cohort[], margin: number, sign: 1 | -1): number {
  const products = betSizes.map(() => new LnProduct());
  const x1 = 1 + sign * margin;
  for (const cohort of cohorts) {
    walk(cohort, (i, isCanary, p) => {
      const m = cohort.prediction[i]!;
      const d = cohort.value[i]! - m;
      const gap = (isCanary ? d / p : (-x1 * d) / (1 - p)) - sign * margin * m;
      const far =
        sign === 1 ? Math.max(m / p, (x1 * (1 - m)) / (1 - p)) : Math.max((1 - m) / p, (x1 * m) / (1 - p));
      const worst = far + margin * m;
      for (let k = 0; k < betSizes.length; k++) products[k]!.times(1 + (betSizes[k]! * sign * gap) / worst);
    });
  }
  return lnWeightedSum(
    harmMixture,
    products.map((product) => product.ln),
  );
}

/** ln E of "the canary's mean is at least `delta` above the baseline's", for values in [0, 1] of which more is worse. */
export function lnMeanSafety(cohorts: readonly Cohort[], delta: number): number {
  const products = betSizes.map(() => new LnProduct());
  for (const cohort of cohorts) {
    walk(cohort, (i, isCanary, p) => {
      const m = cohort.prediction[i]!;
      const d = cohort.value[i]! - m;
      const gap = isCanary ? d / p : -d / (1 - p);
      // Never below delta: for margins so wide that no value can break them, a bet must not turn into a sure thing.
      const worst = Math.max(delta, Math.max((1 - m) / p, m / (1 - p)) - delta);
      for (let k = 0; k < betSizes.length; k++)
        products[k]!.times(1 + (betSizes[k]! * (delta - gap)) / worst);
    });
  }
  return lnWeightedSum(
    safetyMixture,
    products.map((product) => product.ln),
  );
}
