export interface BackoffLimits {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Full jitter: anywhere between nothing and an exponential bound, so that clients that fell together come back apart. */
export const backoffMs = (attempt: number, { baseMs, maxMs }: BackoffLimits, random: () => number): number =>
  Math.floor(random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30)));

const MAX_RETRY_AFTER_MS = 3_600_000;

/** Milliseconds that a `Retry-After` header asks for (seconds or a date), at most an hour; null when it asks for nothing. */
export const retryAfterMs = (header: string | undefined, now: number): number | null => {
  if (header === undefined || header === '') return null;
  const wait = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(wait) ? Math.min(Math.max(0, wait), MAX_RETRY_AFTER_MS) : null;
};
