/** 1,024 registers of a byte: the estimate is off by 3 % on average, by next to nothing below a hundred. */
const REGISTERS = 1_024;
const INDEX_BITS = 10;

/** Of m registers; Flajolet et al. 2007, "HyperLogLog", figure 3. */
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/** How many instances, without a list of them: HyperLogLog over their ids, which are hashes already. */
export type InstanceSketch = Uint8Array;

export const emptySketch = (): InstanceSketch => new Uint8Array(REGISTERS);

/** Idempotent. `instance` in hex. */
export const addInstance = (sketch: InstanceSketch, instance: string): void => {
  const register = Number.parseInt(instance.slice(0, 8), 16) >>> (32 - INDEX_BITS);
  const rank = Math.clz32(Number.parseInt(instance.slice(8, 16), 16)) + 1;
  if (rank > (sketch[register] ?? 0)) sketch[register] = rank;
};

/** Into `sketch`; what was in either is in it. */
export const mergeSketch = (sketch: InstanceSketch, other: Uint8Array): void => {
  for (let i = 0; i < REGISTERS; i++) if ((other[i] ?? 0) > (sketch[i] ?? 0)) sketch[i] = other[i] ?? 0;
};

export const estimateInstances = (sketch: Uint8Array): number => {
  let [sum, empty] = [0, 0];
  for (let i = 0; i < REGISTERS; i++) {
    const rank = sketch[i] ?? 0;
    sum += 2 ** -rank;
    if (rank === 0) empty += 1;
  }
  const raw = (ALPHA * REGISTERS * REGISTERS) / sum;
  const isSmall = raw <= 2.5 * REGISTERS && empty > 0;
  return Math.round(isSmall ? REGISTERS * Math.log(REGISTERS / empty) : raw);
};
