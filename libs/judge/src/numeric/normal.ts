const sqrtPi = Math.sqrt(Math.PI);
const tailTerms = 120;

/**
 * Scaled complementary error function exp(x²)·erfc(x) for x ≥ 0, relative error below 1e-13.
 * Series of erf (Abramowitz & Stegun 7.1.6) where erfc is not small, Laplace's continued fraction (7.1.14) beyond.
 */
export function erfcx(x: number): number {
  if (x < 2) return Math.exp(x * x) - erfSeries(x);
  let tail = 0;
  for (let k = tailTerms; k >= 1; k--) tail = k / 2 / (x + tail);
  return 1 / (sqrtPi * (x + tail));
}

/** exp(x²)·erf(x) = 2/√π · Σ 2ᵏ x²ᵏ⁺¹ / (1·3·…·(2k+1)): all terms positive, so nothing cancels. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / sqrtPi) * sum;
}

/** ln Φ(x), exact to 1e-12 relative in both tails: no cancellation at +8, no underflow at −1e6. */
export function lnPhi(x: number): number {
  if (x > 0) return Math.log1p(-0.5 * erfcx(x / Math.SQRT2) * Math.exp((-x * x) / 2));
  return Math.log(0.5 * erfcx(-x / Math.SQRT2)) - (x * x) / 2;
}

/** Φ⁻¹(p) for 0 < p < 1 by Newton's method on ln Φ, which is concave, so that it converges from the left of the root. */
export function phiInverse(p: number): number {
  if (p > 0.5) return -phiInverse(1 - p);
  const target = Math.log(p);
  let x = -Math.sqrt(-2 * target) - 1;
  for (let i = 0; i < 60; i++) {
    const lnDensity = (-x * x) / 2 - 0.5 * Math.log(2 * Math.PI);
    const lnValue = lnPhi(x);
    const next = x + (target - lnValue) * Math.exp(lnValue - lnDensity);
    if (Math.abs(next - x) < 1e-14 * (1 + Math.abs(x))) return next;
    x = next;
  }
  return x;
}
