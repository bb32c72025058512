import { lnChoose, lnGamma } from './ln-gamma.js';

test.each([
  [0.1, 2.252712651734206],
  [0.5, 0.5723649429247001],
  [1, 0],
  [2.5, 0.2846828704729192],
  [9.99, 12.779315214350193],
  [10, 12.801827480081469],
  [100.5, 361.4355404677776],
  [1e5, 1051287.7089736569],
])('ln Γ(%d) agrees with mpmath', (x, want) => {
  expect(Math.abs(lnGamma(x) - want)).toBeLessThan(1e-13 * (1 + Math.abs(want)) * 10);
});

test('ways to choose are counted, and there is none outside the range', () => {
  expect(Math.exp(lnChoose(10, 5))).toBeCloseTo(252, 9);
  expect(lnChoose(5, 6)).toBe(Number.NEGATIVE_INFINITY);
});
