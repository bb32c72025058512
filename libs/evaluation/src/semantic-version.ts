/** Numbers above 2^53 - 1 are refused, as the semver package does. */
interface SemanticVersion {
  readonly core: readonly [number, number, number];
  readonly prerelease: readonly (number | string)[];
}

const FULL =
  /^(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;
const PARTIAL = /^(\d{1,15})(?:\.(\d{1,15}))?$/;
const MAX_LENGTH = 256;

/** Lenient as flagd's `sem_ver`: a leading v, "1" and "1.2" are taken; null for what is no version. */
export const parseVersion = (raw: unknown): SemanticVersion | null => {
  const text = String(raw).replace(/^[vV]/, '').trim();
  if (text.length > MAX_LENGTH) return null;
  const full = FULL.exec(text);
  if (full) {
    const core = [Number(full[1]), Number(full[2]), Number(full[3])] as const;
    if (!core.every(Number.isSafeInteger)) return null;
    const prerelease = full[4] === undefined ? [] : identifiers(full[4]);
    return prerelease && { core: [...core], prerelease };
  }
  const partial = PARTIAL.exec(text);
  return partial && { core: [Number(partial[1]), Number(partial[2] ?? 0), 0], prerelease: [] };
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

/** Precedence of semver.org 2.0.0 §11: negative, zero or positive. */
const compareVersions = (a: SemanticVersion, b: SemanticVersion): number => {
  for (let i = 0; i < 3; i += 1) {
    const difference = a.core[i]! - b.core[i]!;
    if (difference !== 0) return difference;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return Number(a.prerelease.length === 0) - Number(b.prerelease.length === 0);
  }
  const shared = Math.min(a.prerelease.length, b.prerelease.length);
  for (let i = 0; i < shared; i += 1) {
    const order = compareIdentifiers(a.prerelease[i]!, b.prerelease[i]!);
    if (order !== 0) return order;
  }
  return a.prerelease.length - b.prerelease.length;
};

const compareIdentifiers = (a: number | string, b: number | string): number => {
  if (a === b) return 0;
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1;
  return typeof b === 'number' || a > b ? 1 : -1;
};

/** flagd's `sem_ver` operators; null for an operator or a version it does not know. */
export const matchVersion = (
  left: SemanticVersion | null,
  operator: unknown,
  right: SemanticVersion | null,
): boolean | null => {
  if (!left || !right) return null;
  switch (operator) {
    case '=':
      return compareVersions(left, right) === 0;
    case '!=':
      return compareVersions(left, right) !== 0;
    case '<':
      return compareVersions(left, right) < 0;
    case '<=':
      return compareVersions(left, right) <= 0;
    case '>=':
      return compareVersions(left, right) >= 0;
    case '>':
      return compareVersions(left, right) > 0;
    case '^':
      return left.core[0] === right.core[0];
    case '~':
      return left.core[0] === right.core[0] && left.core[1] === right.core[1];
    default:
      return null;
  }
};
