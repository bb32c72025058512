import { hazardRatios, logRank, type RiskSet } from './log-rank.js';

const risk = (
  canary: readonly number[],
  eventAt: readonly (number | null)[],
  censoredAt?: readonly (number | null)[],
): RiskSet => {
  const times = (of: readonly (number | null)[]) => Float64Array.from(of, (at) => at ?? Number.NaN);
  return {
    canary: Uint8Array.from(canary),
    atRisk: new Uint8Array(canary.length).fill(1),
    eventAt: times(eventAt),
    censoredAt: censoredAt ? times(censoredAt) : null,
  };
};
const window = { from: 0, until: 100, margin: 0, wealth: [] };

test('thirteen hazard ratios from 1.15 to 100', () => {
  expect(hazardRatios).toHaveLength(13);
  expect([hazardRatios[0], hazardRatios[9], ...hazardRatios.slice(10)]).toEqual([
    expect.closeTo(1.15, 12),
    expect.closeTo(8, 12),
    16,
    40,
    100,
  ]);
});

test('one event in the canary of one against three multiplies every bet by p_h/p_0', () => {
  const found = logRank(risk([1, 0, 0, 0], [5, null, null, null]), window);
  const factors = hazardRatios.map((h) => h / (h + 3) / (1 / 4));
  expect(found.wealth).toEqual(factors.map((factor) => expect.closeTo(Math.log(factor), 12)));
  expect(found.lnE).toBeCloseTo(Math.log(factors.reduce((a, b) => a + b, 0) / factors.length), 12);
  expect([found.events1, found.events0]).toEqual([1, 0]);
});

test('an event in the baseline lowers every bet', () => {
  const found = logRank(risk([1, 0, 0, 0], [null, 5, null, null]), window);
  expect(found.wealth.every((ln) => ln < 0)).toBe(true);
});

test('steps carry on: two windows one after the other are one window', () => {
  const set = risk([1, 1, 0, 0, 0, 1], [5, 60, 20, null, 70, null]);
  const once = logRank(set, window);
  const first = logRank(set, { ...window, until: 50 });
  const second = logRank(set, { ...window, from: 50, wealth: first.wealth });
  expect(second.wealth).toEqual(once.wealth.map((ln) => expect.closeTo(ln, 12)));
});

test('who left earlier is not at risk, and an event without an opposite arm says nothing', () => {
  const censored = logRank(risk([1, 0, 0, 0], [5, null, null, null], [null, 2, null, null]), window);
  const smaller = logRank(risk([1, 0, 0], [5, null, null]), window);
  expect(censored.wealth).toEqual(smaller.wealth);
  expect(logRank(risk([1, 1], [5, 6]), window).lnE).toBe(0);
});

test('an event after its instance was censored is not counted', () => {
  expect(logRank(risk([1, 0], [5, null], [3, null]), window).events1).toBe(0);
});

test('a tolerated rise of the hazard weakens the same event', () => {
  const set = risk([1, 0, 0, 0], [5, null, null, null]);
  expect(logRank(set, { ...window, margin: 1 }).lnE).toBeLessThan(logRank(set, window).lnE);
});
