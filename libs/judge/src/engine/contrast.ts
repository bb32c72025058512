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
  const { n } = scores;
  const sums = addUp(scores);
  const n1 = sums.n1;
  const n0 = n - n1;
  if (n1 === 0 || n0 === 0) return null;
  // Adjusting moves no mean: the covariate is centred over those who have one.
  const mean = sums.score / n;
  const squares = adjust(scores, sums, mean);
  if (!(squares > 0)) return null;
  const limit = clipAt * Math.sqrt(squares / (n - 1));
  const { difference, variance, skewness } = clippedMoments(scores, mean, limit, n1, n0);
  if (!(variance > 0)) return null;
  const inverse = 1 / n1 + 1 / n0;
  const skew = (skewness * (1 / (n1 * n1) - 1 / (n0 * n0))) / (inverse * Math.sqrt(inverse));
  const v = variance * inverse;
  return { n1, n0, difference, variance: v, z: skewMap(difference / Math.sqrt(v), skew) };
}

/** Sums over all instances, over those with a covariate (`known`), and of these over the canary (`1`). */
interface Sums {
  readonly n1: number;
  readonly score: number;
  readonly known: number;
  readonly known1: number;
  readonly knownScore: number;
  readonly knownScore1: number;
  readonly covariate: number;
  readonly covariate1: number;
}

/** Arms are random, so a branch on them is mispredicted: they are multiplied in. */
function addUp({ n, score, covariate, canary }: Scores): Sums {
  let n1 = 0;
  let all = 0;
  let known = 0;
  let known1 = 0;
  let knownScore = 0;
  let knownScore1 = 0;
  let sumV = 0;
  let sumV1 = 0;
  for (let i = 0; i < n; i++) {
    const s = score[i]!;
    const v = covariate[i]!;
    const on = canary[i]!;
    all += s;
    n1 += on;
    if (Number.isNaN(v)) continue;
    known += 1;
    known1 += on;
    knownScore += s;
    knownScore1 += on * s;
    sumV += v;
    sumV1 += on * v;
  }
  return { n1, score: all, known, known1, knownScore, knownScore1, covariate: sumV, covariate1: sumV1 };
}

/** Takes what the covariate explains out of the scores, and returns their sum of squares about the mean. */
function adjust(scores: Scores, sums: Sums, mean: number): number {
  const { n, score, covariate } = scores;
  const slope = slopeWithinArms(scores, sums);
  const centre = sums.known > 0 ? sums.covariate / sums.known : 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const v = covariate[i]!;
    let s = score[i]!;
    if (slope !== 0 && !Number.isNaN(v)) {
      s -= slope * (v - centre);
      score[i] = s;
    }
    squares += (s - mean) * (s - mean);
  }
  return squares;
}

/** Within arms, so that a difference between them is not explained away. */
function slopeWithinArms({ n, score, covariate, canary }: Scores, sums: Sums): number {
  const known0 = sums.known - sums.known1;
  if (known0 < 2 || sums.known1 < 2) return 0;
  const s0 = (sums.knownScore - sums.knownScore1) / known0;
  const v0 = (sums.covariate - sums.covariate1) / known0;
  const s1 = sums.knownScore1 / sums.known1 - s0;
  const v1 = sums.covariate1 / sums.known1 - v0;
  let cross = 0;
  let square = 0;
  for (let i = 0; i < n; i++) {
    const v = covariate[i]!;
    if (Number.isNaN(v)) continue;
    const on = canary[i]!;
    const dv = v - v0 - on * v1;
    cross += (score[i]! - s0 - on * s1) * dv;
    square += dv * dv;
  }
  return square > 0 ? cross / square : 0;
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
    sum1 += canary[i]! * d;
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
