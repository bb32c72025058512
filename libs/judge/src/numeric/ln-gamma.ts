/** Coefficients B₂ₖ / (2k(2k−1)) of Stirling's series. */
const stirling = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156];

/** ln Γ(x) for x > 0: shifted up to where Stirling's series is exact to double precision. */
export function lnGamma(x: number): number {
  let shift = 1;
  let up = x;
  while (up < 10) {
    shift *= up;
    up += 1;
  }
  let series = 0;
  for (let k = stirling.length - 1; k >= 0; k--) series = stirling[k]! + series / (up * up);
  return (up - 0.5) * Math.log(up) - up + 0.5 * Math.log(2 * Math.PI) + series / up - Math.log(shift);
}

export function lnBeta(a: number, b: number): number {
  return lnGamma(a) + lnGamma(b) - lnGamma(a + b);
}

/** ln of the number of ways to choose k of n: the most that any test of n instances, k in the canary, can ever say. */
export function lnChoose(n: number, k: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  return lnGamma(n + 1) - lnGamma(k + 1) - lnGamma(n - k + 1);
}
