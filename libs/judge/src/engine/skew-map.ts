/**
 * Wilson–Hilferty: the normal score with the tail of a gamma variable of this skewness. Forty instances of count data
 * are skewed, and at z ≈ 5 a skew of 0.5 fattens the true tail about 230 times. Monotone in t, unlike Cornish–Fisher.
 * A skew towards the harmless side needs no correction; below t = −2/skew the map is held at its end.
 */
export function skewMap(t: number, skew: number): number {
  if (!(skew > 1e-9)) return t;
  const base = Math.max(0, 1 + (skew * t) / 2);
  return (6 / skew) * (Math.cbrt(base) - 1 + (skew * skew) / 36);
}
