const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/**
 * MurmurHash3_x86_32 (Austin Appleby, public domain) of the UTF-8 bytes of `text`, as an unsigned 32-bit integer. Lone
 * surrogates hash as U+FFFD, as every UTF-8 encoder writes them.
 */
export const murmur3 = (text: string, seed = 0): number =>
  hashFrom({ prefix: '', hash: seed, carry: 0, length: 0 }, text) >>> 0;

/**
 * The hash of texts that begin alike: what a seed adds is worked out once. As a signed integer, which V8 hands on without
 * allocating a number for it.
 */
export const murmur3After = (prefix: string): ((text: string) => number) => {
  const start = isAscii(prefix) ? startOf(prefix) : null;
  return start === null ? (text) => murmur3(prefix + text) | 0 : (text) => hashFrom(start, text);
};

/** What the bytes so far have left behind: whole blocks in `hash`, up to three more bytes in `carry`. */
interface Start {
  readonly prefix: string;
  readonly hash: number;
  readonly carry: number;
  readonly length: number;
}

const startOf = (prefix: string): Start => {
  const blocks = prefix.length & ~3;
  let hash = 0;
  for (let i = 0; i < blocks; i += 4) hash = mixBlock(hash, wordAt(prefix, i));
  let carry = 0;
  for (let i = prefix.length - 1; i >= blocks; i -= 1) carry = (carry << 8) | prefix.charCodeAt(i);
  return { prefix, hash, carry, length: prefix.length };
};

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
};

/** Four ASCII characters as one little-endian word. */
const wordAt = (text: string, i: number): number =>
  text.charCodeAt(i) |
  (text.charCodeAt(i + 1) << 8) |
  (text.charCodeAt(i + 2) << 16) |
  (text.charCodeAt(i + 3) << 24);

/** Targeting keys are ASCII as a rule: they are hashed without being encoded, and without being joined to their prefix. */
const hashFrom = (start: Start, text: string): number => {
  const { length } = text;
  const blocks = length & ~3;
  let { hash, carry } = start;
  let shift = (start.length & 3) << 3;
  let seen = 0;
  for (let i = 0; i < blocks; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    seen |= a | b | c | d;
    const word = a | (b << 8) | (c << 16) | (d << 24);
    hash = mixBlock(hash, carry | (word << shift));
    // in two steps, because a shift by 32 is none in JavaScript
    carry = (word >>> 1) >>> (31 - shift);
  }
  for (let i = blocks; i < length; i += 1) {
    const code = text.charCodeAt(i);
    seen |= code;
    carry |= code << shift;
    shift += 8;
    if (shift === 32) {
      hash = mixBlock(hash, carry);
      carry = 0;
      shift = 0;
    }
  }
  return seen < 0x80 ? finish(hash, carry, start.length + length) : hashOfBytes(start, text);
};

/** The same with an encoder in front, which no browser or bare context has to provide. */
const hashOfBytes = (start: Start, text: string): number => {
  let { hash, carry, length } = start;
  const push = (byte: number): void => {
    carry |= byte << ((length & 3) << 3);
    length += 1;
    if ((length & 3) !== 0) return;
    hash = mixBlock(hash, carry);
    carry = 0;
  };
  for (let i = 0; i < text.length; i += 1) {
    const code = text.codePointAt(i)!;
    if (code > 0xffff) i += 1;
    pushCodePoint(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code, push);
  }
  return finish(hash, carry, length);
};

const pushCodePoint = (code: number, push: (byte: number) => void): void => {
  if (code < 0x80) push(code);
  else if (code < 0x800) push(0xc0 | (code >> 6));
  else if (code < 0x10000) push(0xe0 | (code >> 12));
  else push(0xf0 | (code >> 18));
  if (code >= 0x10000) push(0x80 | ((code >> 12) & 0x3f));
  if (code >= 0x800) push(0x80 | ((code >> 6) & 0x3f));
  if (code >= 0x80) push(0x80 | (code & 0x3f));
};

const scramble = (block: number): number => {
  const k = Math.imul(block, C1);
  return Math.imul((k << 15) | (k >>> 17), C2);
};

const mixBlock = (hash: number, block: number): number => {
  const h = hash ^ scramble(block);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
};

const finish = (hash: number, tail: number, length: number): number => {
  // A tail of zero scrambles to zero, so a text without one needs no branch.
  let h = hash ^ scramble(tail) ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
};
