// What the checks of reports are put together from.

export const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const SHA256 = /^[0-9a-f]{64}$/;
export const BOOT_ID = /^[0-9a-f]{32}$/;
export const FLAG_KEY = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const matches = (value: unknown, pattern: RegExp): value is string =>
  typeof value === 'string' && pattern.test(value);

export const isReading = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);

export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** Half a surrogate pair or a NUL has no place in UTF-8 or in Postgres: better refused here than found in a dead end later. */
export const isText = (value: unknown, min: number, max: number): value is string =>
  typeof value === 'string' &&
  value.length >= min &&
  value.length <= max &&
  !LONE_SURROGATE.test(value) &&
  !value.includes('\u0000');

export const unknownField = (at: string, field: string): string =>
  `${at}${quote(field)}: nobody knows this field`;

/** What a stranger wrote, short enough for a log line. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
