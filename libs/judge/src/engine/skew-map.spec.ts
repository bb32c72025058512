import fc from 'fast-check';
import { lnPhi } from '../numeric/normal.js';
import { skewMap } from './skew-map.js';

/** ln P(Gamma(k) > x), k a whole number: Erlang's sum. */
const lnErlangTail = (k: number, x: number): number => {
  let term = 1;
  let sum = 1;
  for (let j = 1; j < k; j++) {
    term *= x / j;
    sum += term;
  }
  return Math.log(sum) - x;
};

test.each([4, 16, 64])(
  'up to six standard deviations the tail of a gamma of shape %d is met within 0.05 of z',
  (shape) => {
    const skew = 2 / Math.sqrt(shape);
    for (const t of [2, 3, 4, 5, 6]) {
      const exact = lnErlangTail(shape, shape + t * Math.sqrt(shape));
      const z = skewMap(t, skew);
      expect(lnPhi(-(z + 0.05))).toBeLessThan(exact);
      expect(lnPhi(-(z - 0.05))).toBeGreaterThan(exact);
    }
  },
);

test('without the map the tail would be far too light', () => {
  const t = 5;
  expect(lnErlangTail(16, 16 + t * 4) - lnPhi(-t)).toBeGreaterThan(Math.log(100));
});

test('it rises with t for every skew, and leaves harmless skew alone', () => {
  const finite = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  fc.assert(
    fc.property(finite(0, 2), finite(-30, 30), finite(0.01, 5), (skew, t, more) => {
      expect(skewMap(t + more, skew)).toBeGreaterThanOrEqual(skewMap(t, skew));
    }),
  );
  expect(skewMap(3, -0.5)).toBe(3);
});
