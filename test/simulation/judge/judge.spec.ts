import { type RolloutResult, runRollout } from './run-rollout.js';

/** The demo's fleet: 400 instances, about 50 requests each per bake, 0.3 % of them failing. */
const demo = { size: 400, load: { requests: 12.5, errorRate: 0.003 }, otherMetrics: 4 };
const run = (count: number, seed: number, errorFactor: number): readonly RolloutResult[] =>
  Array.from({ length: count }, (_, k) => runRollout({ ...demo, seed: seed + k, harm: { errorFactor } }));

/** Long forms of these run by `npm run simulation -- judge`; seeds are fixed, so that these cannot flicker. */
describe('the whole decision in the demo’s case (seeds 7,100,000 …)', () => {
  test('ten harmless rollouts complete, all judged, without ever coming near the threshold', () => {
    const results = run(10, 7_100_000, 1);
    expect(results.filter(({ end }) => end !== 'completed')).toEqual([]);
    expect(Math.max(...results.map(({ highest }) => highest))).toBeLessThan(20);
  });

  test('ten that fail ten times as often are rolled back by the 25 % step', () => {
    const results = run(10, 7_100_000, 10);
    expect(results.filter(({ end, code }) => end !== 'rolled-back' || code !== 'worse')).toEqual([]);
    expect(Math.max(...results.map(({ endedAtPpm }) => endedAtPpm))).toBeLessThanOrEqual(250_000);
  });

  test('half as many errors again are too few to see at this size, and the rollout completes', () => {
    const completed = run(6, 7_200_000, 1.5).filter(({ end }) => end === 'completed');
    expect(completed.length).toBeGreaterThanOrEqual(4);
  });
});
