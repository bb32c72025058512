/** Ranges of UTF-16 units, sorted and apart from each other. */
export type CharacterSet = readonly (readonly [from: number, to: number])[];

const LAST = 0xffff;

const setOf = (...ranges: readonly (readonly [number, number])[]): CharacterSet => {
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
};

export const one = (unit: number): CharacterSet => [[unit, unit]];

export const union = (...sets: readonly CharacterSet[]): CharacterSet => setOf(...sets.flat());

export const complement = (set: CharacterSet): CharacterSet => {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST) gaps.push([next, LAST]);
  return gaps;
};

export const overlap = (a: CharacterSet, b: CharacterSet): boolean =>
  a.some(([from, to]) => b.some(([start, end]) => from <= end && start <= to));

const units = (text: string): CharacterSet =>
  setOf(...[...text].map((c): [number, number] => [c.charCodeAt(0), c.charCodeAt(0)]));

const DIGIT = setOf([0x30, 0x39]);
const WORD = setOf([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]);
const SPACE = union(units('\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff'), [[0x2000, 0x200a]]);

/** What `.` matches. */
export const ANY = complement(units('\n\r\u2028\u2029'));

/** Sets that a letter behind a backslash stands for. */
export const CLASSES: Readonly<Record<string, CharacterSet>> = {
  d: DIGIT,
  D: complement(DIGIT),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
};
