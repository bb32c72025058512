/**
 * 53-bit hash of a salted string, for an order of bets that knows nothing of the bucket: two 32-bit multiply-and-xor
 * lanes with other constants and another mixing than the murmur3 of the bucket. Not cryptographic; no secret depends on it.
 */
export function orderHash(salt: string, id: string): number {
  const text = `${salt}\u0000${id}`;
  let high = 0x9e3779b9;
  let low = 0x7f4a7c15;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x2c1b3c6d);
    low = Math.imul(low ^ unit, 0x297a2d39);
    high = (high << 13) | (high >>> 19);
    low = (low << 17) | (low >>> 15);
  }
  high = finish(high ^ (low >>> 7));
  low = finish(low ^ (high >>> 9));
  return (high & 0x1fffff) * 4_294_967_296 + (low >>> 0);
}

function finish(lane: number): number {
  let x = Math.imul(lane ^ (lane >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

/** Uniform draws on [0, 1) from a seed (sfc32): the plan's own resampling, the same on every replay. */
export function seededDraws(seed: string): () => number {
  let a = orderHash('a', seed) | 0;
  let b = orderHash('b', seed) | 0;
  let c = orderHash('c', seed) | 0;
  let counter = 1;
  return () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
}
