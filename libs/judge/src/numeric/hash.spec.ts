import { orderHash, seededDraws } from './hash.js';

/** The bucket's own rule (murmur3-32 of seed + key), written down again: the order of bets must not follow it. */
const murmur3 = (text: string): number => {
  const bytes = new TextEncoder().encode(text);
  let h = 0;
  const view = new DataView(bytes.buffer);
  const whole = bytes.length & ~3;
  const mix = (k: number) => Math.imul(((x) => (x << 15) | (x >>> 17))(Math.imul(k, 0xcc9e2d51)), 0x1b873593);
  for (let i = 0; i < whole; i += 4) {
    h ^= mix(view.getUint32(i, true));
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!;
  if (whole < bytes.length) h ^= mix(tail);
  h ^= bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const correlation = (xs: readonly number[], ys: readonly number[]): number => {
  const mean = (of: readonly number[]) => of.reduce((a, b) => a + b, 0) / of.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const sum = (f: (i: number) => number) => xs.reduce((total, _, i) => total + f(i), 0);
  const cross = sum((i) => (xs[i]! - mx) * (ys[i]! - my));
  return cross / Math.sqrt(sum((i) => (xs[i]! - mx) ** 2) * sum((i) => (ys[i]! - my) ** 2));
};

const ids = Array.from({ length: 20_000 }, (_, i) => `instance-${i}`);

test('the order of bets does not follow the bucket, even under the same salt', () => {
  const order = ids.map((id) => orderHash('seed', id) / 2 ** 53);
  const bucket = ids.map((id) => murmur3(`seed${id}`) / 2 ** 32);
  // Four standard deviations of a correlation over 20,000 independent pairs.
  expect(Math.abs(correlation(order, bucket))).toBeLessThan(4 / Math.sqrt(ids.length));
  expect(correlation(bucket, bucket)).toBeCloseTo(1);
});

test('the order of bets is even over its range and different under another salt', () => {
  const order = ids.map((id) => orderHash('a', id) / 2 ** 53);
  const cells = new Array<number>(20).fill(0);
  for (const u of order) cells[Math.floor(u * 20)]! += 1;
  const chiSquare = cells.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  expect(chiSquare).toBeLessThan(50);
  const other = ids.map((id) => orderHash('b', id) / 2 ** 53);
  expect(Math.abs(correlation(order, other))).toBeLessThan(4 / Math.sqrt(ids.length));
});

test('seeded draws are the same again, inside [0, 1)', () => {
  const [a, b] = [seededDraws('x'), seededDraws('x')];
  for (let i = 0; i < 100; i++) {
    const u = a();
    expect(u).toBe(b());
    expect(u >= 0 && u < 1).toBe(true);
  }
});
