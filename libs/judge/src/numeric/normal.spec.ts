import { erfcx, lnPhi, phiInverse } from './normal.js';

/** References from mpmath at 40 digits. */
const lnPhiValues: readonly [number, number][] = [
  [-1000, -500007.82669481216],
  [-40, -804.6084420137538],
  [-10, -53.23128515051247],
  [-5, -15.064998393988725],
  [-3, -6.607726221510349],
  [-1, -1.8410216450092636],
  [0, -Math.LN2],
  [1, -0.17275377902344988],
  [3, -0.0013508099647481938],
  [8, -6.220960574271786e-16],
];
const erfcxValues: readonly [number, number][] = [
  [0, 1],
  [0.5, 0.6156903441929259],
  [1, 0.427583576155807],
  [1.999, 0.2555025145905779],
  [2, 0.25539567631050575],
  [3, 0.17900115118138996],
  [10, 0.05614099274382259],
  [100, 0.005641613782989433],
];
const quantiles: readonly [number, number][] = [
  [1e-12, -7.034483825301132],
  [0.001, -3.0902323061678136],
  [0.02 / 6, -2.7130518884727177],
  [0.3, -0.5244005127080408],
  [0.5, 0],
  [0.975, 1.9599639845400538],
  [0.9999, 3.7190164854557084],
];

const relative = (got: number, want: number) => Math.abs(got - want) / Math.max(Math.abs(want), 1e-300);

test.each(lnPhiValues)('ln Φ(%d) is right to twelve digits in both tails', (x, want) => {
  expect(relative(lnPhi(x), want)).toBeLessThan(1e-12);
});

test.each(erfcxValues)(
  'erfcx(%d) is right to twelve digits on both sides of the change of method',
  (x, want) => {
    expect(relative(erfcx(x), want)).toBeLessThan(1e-12);
  },
);

test.each(quantiles)('Φ⁻¹(%d) is right to eleven digits', (p, want) => {
  expect(Math.abs(phiInverse(p) - want)).toBeLessThan(1e-11 * (1 + Math.abs(want)));
});
