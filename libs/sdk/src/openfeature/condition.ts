import type { HeadgateStatus } from '../headgate.js';

/** How OpenFeature sees a provider. `error`: no flags at all, every evaluation gives the default in the code. */
export type Condition = 'ready' | 'stale' | 'error';

export interface Judged {
  readonly condition: Condition;
  readonly message: string;
}

/**
 * `stale` is what OpenFeature means by it: flags are served that may be behind their source, because their newest sign of
 * life has expired, because nothing was verified since the process began, or because the connection has been gone for long.
 */
export const conditionOf = (status: HeadgateStatus, goneForMs: number, graceMs: number): Judged => {
  const { flags, freshness } = status;
  if (flags === 'none') return { condition: 'error', message: 'no flags have been verified yet' };
  if (freshness.status === 'stale')
    return { condition: 'stale', message: 'the newest sign of life of the channel has expired' };
  if (flags === 'copy')
    return {
      condition: 'stale',
      message: 'flags are those of the local copy, the gateway was not reached yet',
    };
  if (goneForMs >= graceMs) return { condition: 'stale', message: 'the gateway cannot be reached' };
  return { condition: 'ready', message: 'flags are verified and fresh' };
};
