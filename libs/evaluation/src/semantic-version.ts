/** Numbers above 2^53 - 1 are refused, as the semver package does. */
export interface SemanticVersion {
  readonly core: readonly [number, number, number];
  readonly prerelease: readonly (number | string)[];
}

const FULL =
  /^v?(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const PARTIAL = /^(0|[1-9]\d{0,15})(?:\.(0|[1-9]\d{0,15}))?$/;
const MAX_LENGTH = 256;

/** Lenient as flagd's `sem_ver`: a leading v, "1" and "1.2" are taken; null for what is no version. */
export const parseVersion = (raw: unknown): SemanticVersion | null => {
  const text = String(raw).replace(/^[vV]/, '');
  if (text.length > MAX_LENGTH) return null;
  const full = FULL.exec(text.trim());
  if (full) return version(full[1]!, full[2]!, full[3]!, full[4]);
  const partial = PARTIAL.exec(text);
  return partial && version(partial[1]!, partial[2] ?? '0', '0', undefined);
};

const version = (
  major: string,
  minor: string,
  patch: string,
  prerelease: string | undefined,
): SemanticVersion | null => {
  const core = [Number(major), Number(minor), Number(patch)] as const;
  if (!core.every(Number.isSafeInteger)) return null;
  const parts = prerelease === undefined ? [] : identifiers(prerelease);
  return parts && { core: [...core], prerelease: parts };
};

const identifiers = (text: string): (number | string)[] | null => {
  const parts: (number | string)[] = [];
  for (const part of text.split('.')) {
    if (!/^\d+$/.test(part)) parts.push(part);
    else if (part.length > 1 && part.startsWith('0')) return null;
    else parts.push(Number(part));
  }
  return parts;
};

/**
 * Precedence of semver.org 2.0.0 §11, and where the versions part: ±3 in their major number, ±2 in the minor, ±1 after that,
 * 0 for equal ones.
 */
export const compareVersions = (a: SemanticVersion, b: SemanticVersion): number => {
  for (let i = 0; i < 3; i += 1) {
    const difference = a.core[i]! - b.core[i]!;
    if (difference !== 0) return Math.sign(difference) * (3 - i);
  }
  return Math.sign(comparePrereleases(a.prerelease, b.prerelease));
};

const comparePrereleases = (a: SemanticVersion['prerelease'], b: SemanticVersion['prerelease']): number => {
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0);
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const order = compareIdentifiers(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
};

const compareIdentifiers = (a: number | string, b: number | string): number => {
  if (a === b) return 0;
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1;
  return typeof b === 'number' || a > b ? 1 : -1;
};

/** Longest number that is read digit by digit: it fits a double with room to spare. */
const MAX_DIGITS = 9;

/** Marks a text that `compareText` leaves to the full parser: anything but three plain numbers. */
export const UNUSUAL = 4;

/**
 * `compareVersions` of a text as nearly every version is written, "1.22.333" or "v1.22.333", without taking it apart;
 * `UNUSUAL` for all others.
 */
export const compareText = (text: string, bound: SemanticVersion): number => {
  const end = text.length;
  let i = (text.charCodeAt(0) | 0x20) === 0x76 ? 1 : 0;
  let result = 0;
  for (let part = 0; part < 3; part += 1) {
    const start = i;
    let number = 0;
    let code = 0;
    for (; i < end; i += 1) {
      code = text.charCodeAt(i);
      if (code < 0x30 || code > 0x39) break;
      number = number * 10 + (code - 0x30);
    }
    const digits = i - start;
    if (digits === 0 || digits > MAX_DIGITS) return UNUSUAL;
    if (digits > 1 && text.charCodeAt(start) === 0x30) return UNUSUAL;
    if (part < 2 ? code !== 0x2e || i === end : i !== end) return UNUSUAL;
    i += 1;
    if (result === 0) {
      const other = bound.core[part]!;
      if (number !== other) result = number < other ? part - 3 : 3 - part;
    }
  }
  return result === 0 && bound.prerelease.length > 0 ? 1 : result;
};
