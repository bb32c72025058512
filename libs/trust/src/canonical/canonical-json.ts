/** Deeper values are refused: nothing we sign comes near, and an attacker's nesting must not end the stack. */
const MAX_DEPTH = 500;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what JSON must escape
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The one byte sequence that stands for a JSON value: RFC 8785 (JCS). Throws `NotCanonical` for what JSON cannot carry
 * without loss: NaN, infinities, undefined, bigint, functions, class instances, lone surrogates.
 */
export const canonicalJson = (value: unknown): string => write(value, 0);

export class NotCanonical extends Error {
  override readonly name = 'NotCanonical';
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return writeString(value);
    case 'number':
      if (!Number.isFinite(value)) throw new NotCanonical(`${value} has no JSON form`);
      // ECMAScript's Number::toString is what RFC 8785 §3.2.2.3 prescribes; only -0 differs.
      return value === 0 ? '0' : String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth === MAX_DEPTH) throw new NotCanonical(`nested deeper than ${MAX_DEPTH}`);
      return Array.isArray(value) ? writeArray(value, depth + 1) : writeObject(value, depth + 1);
    default:
      throw new NotCanonical(`a value of type ${typeof value} has no JSON form`);
  }
}

function writeString(value: string): string {
  if (!NEEDS_ESCAPE.test(value)) return `"${value}"`;
  if (LONE_SURROGATE.test(value)) throw new NotCanonical('a string holds a lone surrogate');
  return JSON.stringify(value);
}

function writeArray(values: readonly unknown[], depth: number): string {
  let out = '[';
  for (let i = 0; i < values.length; i++) out += (i === 0 ? '' : ',') + write(values[i], depth);
  return `${out}]`;
}

function writeObject(value: object, depth: number): string {
  // A plain object of any realm: its prototype is nothing, or has none of its own.
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new NotCanonical('an instance of a class has no JSON form');
  const fields = value as Readonly<Record<string, unknown>>;
  // Default sort compares UTF-16 code units, as RFC 8785 §3.2.3 asks.
  const names = Object.keys(fields).sort();
  let out = '{';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    out += `${i === 0 ? '' : ','}${writeString(name)}:${write(fields[name], depth)}`;
  }
  return `${out}}`;
}
