import fc from 'fast-check';
import { murmur3, murmur3After } from './murmur3.js';

describe('murmur3', () => {
  it.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['Hello, world!', 0, 0xc0363e43],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['aa', 0x9747b28c, 0x5d211726],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
  ])('hashes the UTF-8 bytes of %j with seed %i', (text, seed, hash) => {
    expect(murmur3(text, seed)).toBe(hash);
  });

  it('hashes a lone surrogate as the replacement character', () => {
    expect(murmur3('\ud800')).toBe(murmur3('\ufffd'));
  });

  it('hashes the bytes that TextEncoder writes, of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), fc.integer(), (text, seed) => {
        expect(murmur3(text, seed)).toBe(slowMurmur3([...new TextEncoder().encode(text)], seed));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('murmur3After', () => {
  it('goes on where its prefix ended, whatever both are made of', () => {
    const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 20 }));
    fc.assert(
      fc.property(text, text, (prefix, rest) => {
        expect(murmur3After(prefix)(rest) >>> 0).toBe(murmur3(prefix + rest));
      }),
      { numRuns: 3_000 },
    );
  });

  it('sees a character that is half in the prefix', () => {
    expect(murmur3After('a\ud83d')('\ude00b') >>> 0).toBe(murmur3('a\u{1f600}b'));
  });
});

/** The algorithm as it is written down, byte by byte, in BigInt. */
const slowMurmur3 = (bytes: readonly number[], seed: number): number => {
  const wide = (value: bigint) => BigInt.asUintN(32, value);
  const rotate = (value: bigint, by: bigint) => wide((value << by) | (value >> (32n - by)));
  const scramble = (block: bigint) => wide(rotate(wide(block * 0xcc9e2d51n), 15n) * 0x1b873593n);
  const block = (of: readonly number[]) =>
    of.reduce((sum, byte, i) => sum | (BigInt(byte) << BigInt(8 * i)), 0n);
  const whole = bytes.length - (bytes.length % 4);
  let hash = wide(BigInt(seed));
  for (let i = 0; i < whole; i += 4) {
    hash = wide(rotate(hash ^ scramble(block(bytes.slice(i, i + 4))), 13n) * 5n + 0xe6546b64n);
  }
  hash ^= scramble(block(bytes.slice(whole))) ^ BigInt(bytes.length);
  hash = wide((hash ^ (hash >> 16n)) * 0x85ebca6bn);
  hash = wide((hash ^ (hash >> 13n)) * 0xc2b2ae35n);
  return Number(hash ^ (hash >> 16n));
};
