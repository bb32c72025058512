/** ln Σ wᵢ·exp(lnᵢ) without overflow; weights of 0 are skipped, so that 0·∞ cannot arise. */
export function lnWeightedSum(weights: ArrayLike<number>, lns: ArrayLike<number>): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < lns.length; i++) if (weights[i]! > 0 && lns[i]! > top) top = lns[i]!;
  if (top === Number.NEGATIVE_INFINITY) return top;
  let sum = 0;
  for (let i = 0; i < lns.length; i++) if (weights[i]! > 0) sum += weights[i]! * Math.exp(lns[i]! - top);
  return top + Math.log(sum);
}

export function lnMean(lns: ArrayLike<number>): number {
  return lnWeightedSum(new Float64Array(lns.length).fill(1), lns) - Math.log(lns.length);
}

const largest = 300 * Math.LN10;

/** exp, held at 1e300 so that an e-value is a JSON number. */
export function expBounded(ln: number): number {
  return Math.exp(Math.min(ln, largest));
}
