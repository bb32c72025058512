import fc from 'fast-check';
import { seededDraws } from '../numeric/hash.js';
import { lnChoose } from '../numeric/ln-gamma.js';
import { centredMidranks, lnMeanHarm, lnMeanSafety, lnRankHarm } from './bets.js';
import type { Cohort } from './cohort.js';

type Draw = () => number;

/** Arms in random order with values drawn per arm. */
const cohortOf = (n1: number, n0: number, draw: Draw, value: (isCanary: boolean) => number): Cohort => {
  const n = n1 + n0;
  const canary = new Uint8Array(n);
  let left1 = n1;
  for (let i = 0; i < n; i++) {
    const isCanary = draw() * (n - i) < left1;
    if (isCanary) left1 -= 1;
    canary[i] = isCanary ? 1 : 0;
  }
  return { canary, value: Float64Array.from(canary, (c) => value(c === 1)), prediction: new Float64Array(n) };
};

test.each([
  [0.2, 18],
  [0.1, 39],
  [0.05, 82],
  [0.02, 198],
  [0.01, 383],
  [0.005, 753],
])(
  'zero errors prove "at most +%d" with about %d canaries of a 50/50 split (small-fleets.md §1)',
  (delta, needed) => {
    const draw = seededDraws(`zero-${delta}`);
    const lnSafe = (canaries: number) => lnMeanSafety([cohortOf(canaries, canaries, draw, () => 0)], delta);
    expect(lnSafe(Math.ceil(needed * 1.15 + 1))).toBeGreaterThanOrEqual(Math.log(20));
    expect(lnSafe(Math.floor(needed * 0.85 - 1))).toBeLessThan(Math.log(20));
  },
);

test('centred midranks lie inside (−1, 1), add up to 0 and share ties', () => {
  expect([...centredMidranks(Float64Array.of(5, 1, 5, 9))]).toEqual([0, -0.75, 0, 0.75]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 60 }), (values) => {
      const ranks = [...centredMidranks(Float64Array.from(values))];
      expect(Math.abs(ranks.reduce((a, b) => a + b, 0))).toBeLessThan(1e-9);
      expect(ranks.every((g) => g > -1 && g < 1)).toBe(true);
    }),
  );
});

test('complete separation of ten from ten comes within four nats of the most that any test can say', () => {
  const cohort = cohortOf(10, 10, seededDraws('separate'), (isCanary) => (isCanary ? 1 : 0));
  expect(lnRankHarm([cohort])).toBeGreaterThan(lnChoose(20, 10) - 4);
  expect(lnRankHarm([cohort])).toBeLessThanOrEqual(lnChoose(20, 10));
  const reversed = { ...cohort, value: cohort.value.map((x) => -x) };
  expect(lnRankHarm([reversed])).toBeLessThan(0);
});

/** Share of runs in which evidence passes `bar`; Markov's inequality bounds it by 1/bar if the mean is at most 1. */
const exceedance = (runs: number, bar: number, lnE: (draw: Draw) => number): number => {
  const draw = seededDraws(`exceed-${bar}`);
  let over = 0;
  for (let run = 0; run < runs; run++) if (lnE(draw) >= Math.log(bar)) over += 1;
  return over / runs;
};

const arms: readonly [number, number][] = [
  [5, 5],
  [5, 45],
  [20, 20],
  [10, 90],
  [90, 10],
];
const zeroInflated = (draw: Draw) => (draw() < 0.7 ? 0 : draw() ** 3);

test.each(arms)('rank form, %d against %d, no effect: evidence of 20 in less than 5 %% of runs', (n1, n0) => {
  expect(
    exceedance(500, 20, (draw) => lnRankHarm([cohortOf(n1, n0, draw, () => zeroInflated(draw))])),
  ).toBeLessThan(0.02);
});

test.each(arms)(
  'mean form, %d against %d, truth at the margin +100 %%: evidence of 20 in less than 5 %%',
  (n1, n0) => {
    const share = exceedance(500, 20, (draw) =>
      lnMeanHarm([cohortOf(n1, n0, draw, (isCanary) => (draw() < (isCanary ? 0.06 : 0.03) ? 1 : 0))], 1, 1),
    );
    expect(share).toBeLessThan(0.02);
  },
);

test.each(arms)(
  'safety, %d against %d, truth at the margin of 20 points: evidence of 20 in less than 5 %%',
  (n1, n0) => {
    const share = exceedance(500, 20, (draw) =>
      lnMeanSafety([cohortOf(n1, n0, draw, (isCanary) => (isCanary && draw() < 0.2 ? 1 : 0))], 0.2),
    );
    expect(share).toBeLessThan(0.05);
  },
);

test('the control: with a false chance of the label, the same bets pass 20 far more often than they may', () => {
  const share = exceedance(500, 20, (draw) => {
    // Canaries always come first, while the bets believe in a random order.
    const sorted = cohortOf(20, 20, draw, () => zeroInflated(draw));
    const drift = Float64Array.from({ length: 40 }, (_, i) => (i < 20 ? 1 : 0) + draw());
    return lnRankHarm([{ ...sorted, canary: sorted.canary.map((_, i) => (i < 20 ? 1 : 0)), value: drift }]);
  });
  expect(share).toBeGreaterThan(0.5);
});

test('less is worse is the mirror image of more is worse', () => {
  const draw = seededDraws('mirror');
  const cohort = cohortOf(30, 60, draw, (isCanary) => (isCanary ? 0.5 : 0.9) * draw());
  expect(lnMeanHarm([cohort], 0.05, -1)).toBeGreaterThan(0);
  expect(lnMeanHarm([cohort], 0.05, 1)).toBeLessThan(0);
});
