import { lnSampleRatio } from './sample-ratio.js';

test('a split as planned is evidence for nothing', () => {
  expect(lnSampleRatio(100, 900, 0.1)).toBeLessThan(0);
});

test('one canary in eight missing from twenty thousand is found', () => {
  expect(lnSampleRatio(8_800, 10_000, 0.5)).toBeGreaterThan(Math.log(1000));
});

test('a bad draw of three standard deviations is not', () => {
  expect(lnSampleRatio(150 - 33, 850 + 33, 0.15)).toBeLessThan(Math.log(1000));
});

test('a step without a baseline has no split', () => {
  expect(lnSampleRatio(10, 0, 1)).toBe(0);
});
