import type { Seen } from '@headgate/trust';

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * What `seen.json` says, as far as it can be used: null without a head, and the fields that only tighten the check dropped
 * when they are damaged.
 */
export const readSeen = (value: unknown): Seen | null => {
  const { epoch, n, headDigest, issuedAt, rootVersion, targetsVersion, kills } = (value ??
    {}) as Partial<Seen>;
  if (!isCount(epoch) || !isCount(n)) return null;
  return {
    epoch,
    n,
    ...(typeof headDigest === 'string' ? { headDigest } : {}),
    ...(isCount(issuedAt) ? { issuedAt } : {}),
    ...(isCount(rootVersion) ? { rootVersion } : {}),
    ...(isCount(targetsVersion) ? { targetsVersion } : {}),
    ...(Array.isArray(kills) ? { kills: kills.filter(isKill) } : {}),
  };
};

const isKill = (kill: unknown): boolean => {
  const { flagId, at, why, epoch } = (kill ?? {}) as Record<string, unknown>;
  return typeof flagId === 'string' && isCount(at) && typeof why === 'string' && isCount(epoch);
};
