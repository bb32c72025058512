import { murmur3 } from '@headgate/evaluation';

/** FNV-1a, 32 bits, of the UTF-8 bytes (http://www.isthe.com/chongo/tech/comp/fnv/). */
export const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
};

/** Seed of the hash by which Unleash picks variants, so that they do not depend on the rollout. */
const UNLEASH_VARIANT_SEED = 86_028_157;

/** 1 to 100: a key is in an Unleash rollout when this is at most its percentage. */
export const unleashPercentile = (groupId: string, key: string): number =>
  (murmur3(`${groupId}:${key}`) % 100) + 1;

/** 1 to `total`: the variant whose running sum of weights first reaches it. */
export const unleashVariantTarget = (groupId: string, key: string, total: number): number =>
  (murmur3(`${groupId}:${key}`, UNLEASH_VARIANT_SEED) % total) + 1;

/** 0 to `total - 1`, in thousandths of a percent: GO Feature Flag's place of a key in every split of the flag. */
export const goFeatureFlagPlace = (flag: string, key: string, total: number): number =>
  total <= 0 ? 0 : fnv1a(flag + key) % total;
