import { lnPhi } from '../numeric/normal.js';

/**
 * ln E of "effect ≤ margin" under a half-normal prior |N(0, τ²)| on the effect, at score `z` and `information` 1/Var.
 * Robbins 1970; Howard et al. 2021 (confseq's one-sided normal mixture with ρ = 1/τ²). No information, no evidence.
 */
export function lnNormalMixture(z: number, information: number, tau: number): number {
  const gain = information * tau * tau;
  if (!(gain > 0)) return 0;
  const share = gain / (1 + gain);
  return Math.LN2 - 0.5 * Math.log1p(gain) + 0.5 * z * z * share + lnPhi(z * Math.sqrt(share));
}

/** The score at which ln E reaches `lnThreshold`; ln E rises with z, so bisection finds it. */
export function normalMixtureScore(lnThreshold: number, information: number, tau: number): number {
  if (!(information > 0)) return Number.POSITIVE_INFINITY;
  let low = -40;
  let high = 1;
  while (lnNormalMixture(high, information, tau) < lnThreshold) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-12 * Math.abs(high); i++) {
    const middle = (low + high) / 2;
    if (lnNormalMixture(middle, information, tau) < lnThreshold) low = middle;
    else high = middle;
  }
  return high;
}

/** The ρ = 1/τ² that makes the bound tightest at the information `best` (confseq's best_rho; GrowthBook's N*). */
export function bestRho(best: number, alpha: number, sides: 1 | 2): number {
  const lnOdds = 2 * Math.log(1 / (sides === 1 ? 2 * alpha : alpha));
  return best / (lnOdds + Math.log1p(lnOdds));
}
