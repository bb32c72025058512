/** Splits at dots; a backslash keeps a dot, a slash or a backslash as it is. A single dot is one empty name. */
export const pathOf = (key: string): readonly string[] => {
  const parts: string[] = [];
  let current = '';
  for (let i = 0; i < key.length; i += 1) {
    const character = key[i]!;
    const next = key[i + 1];
    if (character === '\\' && (next === '.' || next === '/' || next === '\\')) {
      current += next;
      i += 1;
    } else if (character === '.') {
      parts.push(current);
      current = '';
    } else current += character;
  }
  return parts.length === key.length ? parts : [...parts, current];
};

/**
 * What any value inherits from the language. A rule must not reach it (`constructor`, `__proto__`), so names found here
 * are read with care, and all others as fast as JavaScript can.
 */
const isInherited = (name: string): boolean =>
  [Object, Array, String, Number, Boolean, Date].some(({ prototype }) => name in (prototype as object));

export type Member = (data: unknown) => unknown;

/** Reads one name of any data; undefined where there is none. Functions are no data. */
export const memberReader = (name: string): Member => {
  if (isInherited(name) || /^\d+$/.test(name)) return (data) => ownMember(data, name);
  return (data) => {
    if (data === null || data === undefined) return undefined;
    const value = (data as Record<string, unknown>)[name];
    return typeof value === 'function' ? undefined : value;
  };
};

const ownMember = (data: unknown, name: string): unknown => {
  if (data === null || data === undefined || name === '__proto__') return undefined;
  const isText = typeof data === 'string';
  if (!isText && typeof data !== 'object') return undefined;
  if (!Object.hasOwn(Object(data), name)) return undefined;
  const value = (data as Record<string, unknown>)[name];
  return typeof value === 'function' ? undefined : value;
};

/** Undefined where the path ends early, null only where null is what it leads to. */
export const walk = (data: unknown, members: readonly Member[]): unknown => {
  let value = data;
  for (let i = 0; i < members.length; i += 1) {
    value = members[i]!(value);
    if (value === undefined) return undefined;
  }
  return value;
};
