import { murmur3 } from './murmur3.js';

/** Buckets of a rollout: one per part per million. */
export const WEIGHT_TOTAL = 1_000_000;

/**
 * `(uint64(hash) * total) >> 32`, exact for totals up to 2^31 - 1: the product passes 2^53, so it is made of two halves
 * that do not.
 */
export const scaleHash = (hash: number, total: number): number => {
  const high = (hash >>> 16) * total;
  const low = (hash & 0xffff) * total;
  return Math.floor((high + Math.floor(low / 65_536)) / 65_536);
};

/**
 * Bucket of a targeting key in a rollout, 0 to 999,999. The key is in the rollout at weight `w` if and only if its bucket
 * is below `w`: raising a weight only ever adds members (DESIGN.md §9, invariant 10).
 */
export const bucket = (seed: string, targetingKey: string): number =>
  scaleHash(murmur3(seed + targetingKey), WEIGHT_TOTAL);
