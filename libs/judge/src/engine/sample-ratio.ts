import { lnBeta } from '../numeric/ln-gamma.js';

const concentration = 100;

/**
 * ln E of "each reporting instance is in the canary with probability `share`" (Lindon & Malek 2022): Beta-binomial with
 * a = κp, b = κ(1−p), κ = 100. At a threshold of 1000 it finds a split that is broken, not one that is unlucky.
 */
export function lnSampleRatio(
  canary: number,
  baseline: number,
  share: number,
  kappa = concentration,
): number {
  if (!(share > 0 && share < 1)) return 0;
  const a = kappa * share;
  const b = kappa * (1 - share);
  return (
    lnBeta(a + canary, b + baseline) - lnBeta(a, b) - canary * Math.log(share) - baseline * Math.log1p(-share)
  );
}
