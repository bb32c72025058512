import type { JsonValue } from '@headgate/contracts';

export type Reading<T> = { readonly value: T } | { readonly message: string; readonly mend: string };

const MAX_PPM = 1_000_000;

/** `25 %` and `0.0001 %` in parts per million; four decimals are all there is. */
export const readWeight = (value: JsonValue): Reading<number> => {
  const mend = 'Write a percentage from 0 % to 100 % with at most four decimals, such as 25 % or 0.5 %.';
  if (typeof value !== 'string') return { message: `${JSON.stringify(value)} is not a percentage`, mend };
  const [, whole, decimals = ''] = /^(\d{1,3})(?:\.(\d{1,4}))? ?%$/.exec(value.trim()) ?? [];
  if (whole === undefined) return { message: `${JSON.stringify(value)} is not a percentage`, mend };
  const ppm = Number(whole) * 10_000 + Number(decimals.padEnd(4, '0'));
  return ppm <= MAX_PPM ? { value: ppm } : { message: `${value} is more than 100 %`, mend };
};

/** 250_000 → `25 %`, exactly. */
export const writeWeight = (ppm: number): string => {
  const decimals = String(ppm % 10_000)
    .padStart(4, '0')
    .replace(/0+$/, '');
  return `${Math.floor(ppm / 10_000)}${decimals === '' ? '' : `.${decimals}`} %`;
};

const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
const LAST_ISO_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** An ISO 8601 day (midnight UTC) or instant with its offset, or milliseconds since the epoch, as the API has it. */
export const readInstant = (value: JsonValue): Reading<number> => {
  const mend = 'Write a day such as 2026-12-24, or an instant with its offset such as 2026-12-24T18:00:00Z.';
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return { value };
  const ms = typeof value === 'string' && ISO.test(value) ? parseIso(value) : Number.NaN;
  if (!Number.isFinite(ms)) return { message: `${JSON.stringify(value)} is not an instant`, mend };
  return ms >= 0 ? { value: ms } : { message: `${value} is before 1970`, mend };
};

/** `Date.parse` rolls the 30th of February over; a day that does not exist is a slip to be shown. */
const parseIso = (text: string): number => {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  const exists = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day && month >= 1 && month <= 12;
  return exists ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
};

/** ISO 8601 in UTC; years past 9999 stay milliseconds. */
export const writeInstant = (ms: number): string | number =>
  ms > LAST_ISO_MS ? ms : new Date(ms).toISOString().replace('.000Z', 'Z');
