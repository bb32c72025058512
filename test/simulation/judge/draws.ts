/** Taken once: in jest's contexts every look at a global is slow. */
const { cos, exp, log, max, round, sin, sqrt } = Math;

/** Seeded random draws (sfc32), so that every figure of the simulation can be had again. */
export interface Draws {
  uniform(): number;
  normal(): number;
  /** Small means by inversion, larger ones by the normal approximation, rounded. */
  poisson(mean: number): number;
}

export function openDraws(seed: number): Draws {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let counter = 1;
  let spare: number | null = null;

  const uniform = (): number => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 4_294_967_296;
  };
  const normal = (): number => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    const radius = sqrt(-2 * log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * sin(angle);
    return radius * cos(angle);
  };
  const poisson = (mean: number): number => {
    if (mean > 30) return max(0, round(mean + sqrt(mean) * normal()));
    const limit = exp(-mean);
    let count = 0;
    for (let product = uniform(); product > limit; product *= uniform()) count += 1;
    return count;
  };
  for (let warmUp = 0; warmUp < 20; warmUp++) uniform();
  return { uniform, normal, poisson };
}
