import { skewMap } from './skew-map.js';

/** Scores and covariates of the instances of one metric, in id order; one pair of buffers serves all metrics of a look. */
export interface Scores {
  n: number;
  readonly score: Float64Array;
  /** From the pre-period only; NaN = the instance was not there. */
  readonly covariate: Float64Array;
  readonly canary: Uint8Array;
}

export function openScores(capacity: number): Scores {
  return {
    n: 0,
    score: new Float64Array(capacity),
    covariate: new Float64Array(capacity),
    canary: new Uint8Array(capacity),
  };
}

export interface Contrast {
  readonly n1: number;
  readonly n0: number;
  /** Mean score of the canary minus that of the baseline, after adjustment and clipping. */
  readonly difference: number;
  /** Its variance under "no difference". */
  readonly variance: number;
  /** Its standard score, corrected for skewness. */
  readonly z: number;
}

const clipAt = 6;

/**
 * Compares the arms by a score test: adjusted for the pre-period (CUPED, slope within arms), clipped at ± 6 standard
 * deviations without regard to the arm, with the pooled variance, so that a small canary cannot look precise by chance.
 * Null when an arm is empty or all scores are alike. Uses `scores` up: the adjustment is made in place.
 */
export function contrast(scores: Scores): Contrast | null {
  const n1 = countCanary(scores);
  const n0 = scores.n - n1;
  if (n1 === 0 || n0 === 0) return null;
  adjust(scores);
  const { mean, sd } = spread(scores);
  if (!(sd > 0)) return null;
  const { difference, variance, skewness } = clippedMoments(scores, mean, clipAt * sd, n1, n0);
  if (!(variance > 0)) return null;
  const inverse = 1 / n1 + 1 / n0;
  const skew = (skewness * (1 / (n1 * n1) - 1 / (n0 * n0))) / (inverse * Math.sqrt(inverse));
  const v = variance * inverse;
  return { n1, n0, difference, variance: v, z: skewMap(difference / Math.sqrt(v), skew) };
}

function countCanary({ n, canary }: Scores): number {
  let n1 = 0;
  for (let i = 0; i < n; i++) n1 += canary[i]!;
  return n1;
}

function adjust({ n, score, covariate, canary }: Scores): void {
  const count = [0, 0];
  const sumS = [0, 0];
  const sumV = [0, 0];
  for (let i = 0; i < n; i++) {
    const v = covariate[i]!;
    if (Number.isNaN(v)) continue;
    const arm = canary[i]!;
    count[arm]! += 1;
    sumS[arm]! += score[i]!;
    sumV[arm]! += v;
  }
  const known = count[0]! + count[1]!;
  if (count[0]! < 2 || count[1]! < 2) return;
  const meanS0 = sumS[0]! / count[0]!;
  const meanS1 = sumS[1]! / count[1]!;
  const meanV0 = sumV[0]! / count[0]!;
  const meanV1 = sumV[1]! / count[1]!;
  let cross = 0;
  let square = 0;
  for (let i = 0; i < n; i++) {
    const v = covariate[i]!;
    if (Number.isNaN(v)) continue;
    const isCanary = canary[i] === 1;
    const dv = v - (isCanary ? meanV1 : meanV0);
    cross += (score[i]! - (isCanary ? meanS1 : meanS0)) * dv;
    square += dv * dv;
  }
  if (!(square > 0)) return;
  const slope = cross / square;
  const meanV = (sumV[0]! + sumV[1]!) / known;
  for (let i = 0; i < n; i++) {
    const v = covariate[i]!;
    if (!Number.isNaN(v)) score[i]! -= slope * (v - meanV);
  }
}

function spread({ n, score }: Scores): { readonly mean: number; readonly sd: number } {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += score[i]!;
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const d = score[i]! - mean;
    squares += d * d;
  }
  return { mean, sd: Math.sqrt(squares / (n - 1)) };
}

function clippedMoments({ n, score, canary }: Scores, mean: number, limit: number, n1: number, n0: number) {
  let sum1 = 0;
  let sum = 0;
  let squares = 0;
  let cubes = 0;
  for (let i = 0; i < n; i++) {
    let d = score[i]! - mean;
    if (d > limit) d = limit;
    else if (d < -limit) d = -limit;
    if (canary[i] === 1) sum1 += d;
    sum += d;
    const d2 = d * d;
    squares += d2;
    cubes += d2 * d;
  }
  // Centred on the unclipped mean, which is close: the moments are shifted to their own mean without cancellation.
  const shift = sum / n;
  const second = squares / n - shift * shift;
  const third = cubes / n - 3 * shift * (squares / n) + 2 * shift ** 3;
  return {
    difference: sum1 / n1 - (sum - sum1) / n0,
    variance: (second * n) / (n - 1),
    skewness: second > 0 ? third / second ** 1.5 : 0,
  };
}
