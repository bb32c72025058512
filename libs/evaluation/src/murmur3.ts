const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/**
 * MurmurHash3_x86_32 (Austin Appleby, public domain) of the UTF-8 bytes of `text`, as an unsigned 32-bit integer. Lone
 * surrogates hash as U+FFFD, as every UTF-8 encoder writes them.
 */
export const murmur3 = (text: string, seed = 0): number => {
  const length = text.length;
  const blocks = length & ~3;
  let hash = seed | 0;
  let seen = 0;
  for (let i = 0; i < blocks; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    seen |= a | b | c | d;
    hash = mixBlock(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let i = length - 1; i >= blocks; i -= 1) {
    const code = text.charCodeAt(i);
    seen |= code;
    tail = (tail << 8) | code;
  }
  // Targeting keys are ASCII as a rule: only others pay for an encoder.
  return seen < 0x80 ? finish(hash, tail, length) : murmur3OfBytes(new TextEncoder().encode(text), seed);
};

const murmur3OfBytes = (bytes: Uint8Array, seed: number): number => {
  const length = bytes.length;
  const blocks = length & ~3;
  let hash = seed | 0;
  for (let i = 0; i < blocks; i += 4) {
    hash = mixBlock(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  let tail = 0;
  for (let i = length - 1; i >= blocks; i -= 1) tail = (tail << 8) | bytes[i]!;
  return finish(hash, tail, length);
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
  return (h ^ (h >>> 16)) >>> 0;
};
