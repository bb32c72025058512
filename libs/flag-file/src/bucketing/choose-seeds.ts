import { bucket, murmur3 } from '@headgate/evaluation';
import type { ImportOptions, VariantChange } from '../report.js';

export interface Arm {
  readonly variant: string;
  readonly weightPpm: number;
}

/** One split of the other system: what it gave each key, and the arms it has here. */
export interface TheirSplit {
  readonly flag: string;
  readonly place: string;
  /** Splits of one group had one bucket per key there. */
  readonly group: string;
  readonly seed: string;
  readonly arms: readonly Arm[];
  readonly theirs: (key: string) => string;
}

/** Group to seed; a group that is not in it keeps the seed that the importer gave it. */
export type Seeds = ReadonlyMap<string, string>;

const WHOLE_PPM = 1_000_000;
const GENERATED_KEYS = 10_000;
const CANDIDATES = 256;
const MAX_EXAMPLES = 5;
/** Hashes that a whole search may cost: some seconds. */
const SEARCH_BUDGET = 40_000_000;

/** `host-0` to `host-9999`, when nobody gave keys. */
const generatedKeys = (): readonly string[] => Array.from({ length: GENERATED_KEYS }, (_, i) => `host-${i}`);

/**
 * The seeds under which fewest of the given keys change their arm, over all splits of a group together. Only for given keys:
 * over made-up ones every seed is as good as another.
 */
export const chooseSeeds = (
  splits: readonly TheirSplit[],
  { keys, isSeedCompatible }: ImportOptions,
): Seeds => {
  const seeds = new Map<string, string>();
  if (!isSeedCompatible || !keys || keys.length === 0) return seeds;
  const groups = groupsOf(splits);
  const budget = SEARCH_BUDGET / Math.max(1, groups.size);
  for (const [group, members] of groups) {
    const moving = members.filter(({ arms }) => isMoving(arms));
    const [first] = moving;
    if (!first) continue;
    const tries = Math.max(1, Math.min(CANDIDATES, Math.floor(budget / (keys.length * moving.length))));
    const wanted = moving.map(({ theirs }) => keys.map(theirs));
    let best = { seed: first.seed, changed: Number.POSITIVE_INFINITY };
    for (let i = 0; i < tries && best.changed > 0; i += 1) {
      const seed = i === 0 ? first.seed : `${first.seed}~${i}`;
      const changed = moving.reduce(
        (sum, { arms }, m) => sum + changedUnder(seed, arms, keys, wanted[m] ?? []),
        0,
      );
      if (changed < best.changed) best = { seed, changed };
    }
    seeds.set(group, best.seed);
  }
  return seeds;
};

const groupsOf = (splits: readonly TheirSplit[]): Map<string, TheirSplit[]> => {
  const groups = new Map<string, TheirSplit[]>();
  for (const split of splits) groups.set(split.group, [...(groups.get(split.group) ?? []), split]);
  return groups;
};

/** With one arm that has everything nobody changes, whatever the seed. */
const isMoving = (arms: readonly Arm[]): boolean => !arms.some(({ weightPpm }) => weightPpm === WHOLE_PPM);

const changedUnder = (
  seed: string,
  arms: readonly Arm[],
  keys: readonly string[],
  wanted: readonly string[],
): number => keys.reduce((sum, key, i) => sum + (armOf(seed, arms, key) === wanted[i] ? 0 : 1), 0);

/** The arm that Headgate gives a key. */
export const armOf = (seed: string, arms: readonly Arm[], key: string): string => {
  const place = bucket(seed, key);
  let sum = 0;
  for (const { variant, weightPpm } of arms) {
    sum += weightPpm;
    if (place < sum) return variant;
  }
  return '';
};

/** Who changes variant, for every split in the order of the file. */
export const compareSplits = (
  splits: readonly TheirSplit[],
  { keys = generatedKeys() }: ImportOptions,
): readonly VariantChange[] =>
  splits.map(({ flag, place, seed, arms, theirs }) => {
    const changed = keys.filter((key) => armOf(seed, arms, key) !== theirs(key));
    return {
      flag,
      place,
      keys: keys.length,
      changed: changed.length,
      share: keys.length === 0 ? 0 : changed.length / keys.length,
      seed,
      pinned: 0,
      examples: changed.slice(0, MAX_EXAMPLES),
    };
  });

/** A seed of at most 100 characters, as short texts themselves. */
export const seedFrom = (text: string): string =>
  text.length <= 90 ? text || '-' : `${text.slice(0, 80)}~${murmur3(text).toString(16)}`;

/** Weights of any total as parts per million that sum to 1,000,000; the largest remainders are rounded up. */
export const inPpm = (weights: readonly number[]): readonly number[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) return weights.map(() => 0);
  const exact = weights.map((weight) => (weight / total) * WHOLE_PPM);
  const floors = exact.map(Math.floor);
  const missing = WHOLE_PPM - floors.reduce((sum, floor) => sum + floor, 0);
  const byRemainder = exact
    .map((value, i) => ({ i, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i)
    .slice(0, missing)
    .map(({ i }) => i);
  return floors.map((floor, i) => floor + (byRemainder.includes(i) ? 1 : 0));
};
