import { lnMeanSafety } from '../engine/bets.js';
import type { Cohort } from '../engine/cohort.js';
import { normalMixtureScore } from '../engine/normal-mixture.js';
import { seededDraws } from '../numeric/hash.js';
import { phiInverse } from '../numeric/normal.js';

export interface ProofPower {
  /** e-value that the step alone must reach: 1/(alphaSafe · its share). */
  readonly lnThreshold: number;
  /** Chance, per metric, that a harmless canary may stay unproven. */
  readonly miss: number;
}

/** Engine N: can a canary like the baseline be shown to lie within the relative margin δ, but for a chance of `miss`? */
export function isRelativeProofDue(
  delta: number,
  information: number,
  tau: number,
  { lnThreshold, miss }: ProofPower,
): boolean {
  if (!(information > 0)) return false;
  const reach = (Math.abs(delta) / (1 + delta)) * Math.sqrt(information);
  return reach >= normalMixtureScore(lnThreshold, information, tau) - phiInverse(miss);
}

const trials = 200;

/**
 * Engine B: in every one of 200 random assignments of resampled pre-period values, the absolute margin is proven.
 * Rare badness is drawn at the 95 % upper bound of its rate, so that luck in the pre-period promises nothing.
 */
export function isAbsoluteProofDue(
  delta: number,
  badShares: Float64Array,
  { n1, n0, seed }: { readonly n1: number; readonly n0: number; readonly seed: string },
  { lnThreshold }: ProofPower,
): boolean {
  const values = badShares.filter((share) => !Number.isNaN(share));
  if (values.length === 0 || n1 === 0 || n0 === 0) return false;
  const bad = values.filter((share) => share > 0);
  const rate = upperRate(bad.length, values.length);
  const draw = seededDraws(seed);
  const mean = (rate * (bad.length > 0 ? bad.reduce((a, b) => a + b, 0) : 1)) / Math.max(1, bad.length);
  for (let trial = 0; trial < trials; trial++) {
    const cohort = resample({ n1, n0, rate, bad, mean }, draw);
    if (lnMeanSafety([cohort], delta) < lnThreshold) return false;
  }
  return true;
}

/** Upper 95 % bound of a share (Wilson's score interval). */
function upperRate(events: number, n: number): number {
  const z = 1.645;
  const share = events / n;
  const middle = share + (z * z) / (2 * n);
  const width = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return (middle + width) / (1 + (z * z) / n);
}

interface Population {
  readonly n1: number;
  readonly n0: number;
  readonly rate: number;
  readonly bad: Float64Array;
  readonly mean: number;
}

/** Arms of the planned size in random order, each instance bad with the bound's rate, predicted as the judge predicts. */
function resample({ n1, n0, rate, bad, mean }: Population, draw: () => number): Cohort {
  const n = n1 + n0;
  const canary = new Uint8Array(n);
  const value = new Float64Array(n);
  let left1 = n1;
  for (let i = 0; i < n; i++) {
    const isCanary = draw() * (n - i) < left1;
    if (isCanary) left1 -= 1;
    canary[i] = isCanary ? 1 : 0;
    if (draw() < rate) value[i] = bad.length > 0 ? bad[Math.floor(draw() * bad.length)]! : 1;
  }
  return { canary, value, prediction: new Float64Array(n).fill(rate < 0.5 ? 0 : mean) };
}
