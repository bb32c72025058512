import fc from 'fast-check';
import { lnNormalMixture, normalMixtureScore } from './normal-mixture.js';

const information = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
const score = fc.double({ min: -50, max: 50, noNaN: true });

test('evidence rises with the score', () => {
  fc.assert(
    fc.property(score, fc.double({ min: 1e-6, max: 10, noNaN: true }), information, (z, more, i) => {
      expect(lnNormalMixture(z + more, i, 0.3)).toBeGreaterThan(lnNormalMixture(z, i, 0.3));
    }),
  );
});

test('the score of a threshold is where evidence reaches it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 40, noNaN: true }), information, (ln, i) => {
      expect(lnNormalMixture(normalMixtureScore(ln, i, 0.3), i, 0.3)).toBeCloseTo(ln, 8);
    }),
  );
});

test('no information is no evidence, whatever the score', () => {
  expect(lnNormalMixture(9, 0, 0.3)).toBe(0);
  expect(lnNormalMixture(9, Number.NaN, 0.3)).toBe(0);
  expect(normalMixtureScore(3, 0, 0.3)).toBe(Number.POSITIVE_INFINITY);
});

test('the thresholds of judge.md §2.4: z 4.3 for one of ten critical metrics, 5.2 for one of 490 others', () => {
  const information = 10 / 0.3 ** 2;
  const scoreOf = (weight: number) => normalMixtureScore(Math.log((20 * 8) / weight), information, 0.3);
  expect(scoreOf(0.5 / 10)).toBeCloseTo(4.34, 2);
  expect(scoreOf(0.5 / 490)).toBeCloseTo(5.24, 2);
});
