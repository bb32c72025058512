import type { ChannelFlags } from '../flag-set/channel-flags.js';
import type { FlagsVersion } from '../flag-set/flags-version.js';
import { OfrepRefused } from './ofrep-refused.js';
import { parseSourceVersion, type SourceVersion } from './source-version.js';

/** What a client that was told to evaluate again knows of: no answer may be older. */
export interface DemandedFreshness {
  readonly etag: SourceVersion | null;
  readonly lastModifiedSecond: number | null;
}

/** An etag of another server's is none that we could reach or miss, and is passed over. */
export const readDemandedFreshness = (query: unknown): DemandedFreshness => {
  const { flagConfigEtag, flagConfigLastModified } = (query ?? {}) as Readonly<Record<string, unknown>>;
  return {
    etag: typeof flagConfigEtag === 'string' ? parseSourceVersion(flagConfigEtag) : null,
    lastModifiedSecond: flagConfigLastModified === undefined ? null : secondOf(flagConfigLastModified),
  };
};

const secondOf = (text: unknown): number => {
  if (typeof text === 'string' && /^\d{1,12}$/.test(text)) return Number(text);
  const ms = typeof text === 'string' && /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new OfrepRefused(
      400,
      'PARSE_ERROR',
      'flagConfigLastModified must be Unix seconds or an ISO 8601 date-time.',
    );
  return Math.floor(ms / 1_000);
};

export interface FreshnessClock {
  readonly now: () => number;
  readonly waitMs: number;
}

const LOOK_EVERY_MS = 50;
/** A clock that is further behind is wrong, and no reason to answer nobody. */
const CLOCK_WAIT_MS = 1_000;

/**
 * Waits until `flags` are as new as demanded: true when they are. With a version its time only says that our clock must not be behind,
 * because the event may have been of a moment that a rule names; a time alone is reached when something as new was heard of the channel.
 */
export const reachesFreshness = async (
  flags: ChannelFlags,
  { version, lastModifiedSecond }: { version: FlagsVersion | null; lastModifiedSecond: number | null },
  { now, waitMs }: FreshnessClock,
): Promise<boolean> => {
  if (version !== null && !(await flags.reaches(version, waitMs))) return false;
  if (lastModifiedSecond === null) return true;
  const atMs = lastModifiedSecond * 1_000;
  if (version === null) return becomes(() => flags.asOf >= atMs, now, waitMs);
  await becomes(() => now() >= atMs, now, Math.min(CLOCK_WAIT_MS, waitMs));
  return true;
};

/** Whether it was true at the latest after `waitMs`. */
export const becomes = async (isTrue: () => boolean, now: () => number, waitMs: number): Promise<boolean> => {
  const until = now() + waitMs;
  while (!isTrue()) {
    if (now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return true;
};
