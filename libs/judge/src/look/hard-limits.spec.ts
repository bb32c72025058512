import type { RareEventMetric, RatioMetric } from '../metric.js';
import { planRollout } from '../plan/plan-rollout.js';
import { completePolicy } from '../policy.js';
import type { PreRow } from '../row/pre-row.js';
import type { StepTable } from '../row/step-table.js';
import { checkHardLimits } from './hard-limits.js';

const errors: RatioMetric = {
  kind: 'ratio',
  name: 'errors',
  tier: 'critical',
  margin: 0,
  numerator: 'errors',
  denominator: 'requests',
  worse: 'up',
};
const crash: RareEventMetric = {
  kind: 'rare-event',
  name: 'crash',
  tier: 'critical',
  margin: 0,
  event: 'crash',
};

const preRows: readonly PreRow[] = Array.from({ length: 40 }, (_, i) => ({
  instance: `i${i}`,
  bakes: [0, 1].map(() => ({ counters: { requests: 100, errors: 1 }, gauges: {} })),
}));
const plan = planRollout({
  preRows,
  metrics: [errors, crash],
  policy: completePolicy(
    {
      hardLimits: [
        { metric: 'errors', max: 0.05 },
        { metric: 'crash', max: 0.3 },
      ],
    },
    40,
  ),
  orderSalt: 'o',
});

/** Four instances, the first two in the canary. */
const table = (errorsOf: readonly number[], crashed: readonly number[], canary = [1, 1, 0, 0]): StepTable => {
  const none = () => new Float64Array(4).fill(Number.NaN);
  const sums = { y: Float64Array.from(errorsOf), w: new Float64Array(4).fill(100) };
  return {
    instances: ['a', 'b', 'c', 'd'],
    canary: Uint8Array.from(canary),
    known: new Uint8Array(4).fill(1),
    reported: new Uint8Array(4).fill(1),
    lostAt: none(),
    finishedAt: [none(), none(), none()],
    metrics: [
      { kind: 'ratio', now: sums, windows: null, pre: sums },
      { kind: 'rare-event', at: Float64Array.from(crashed, (at) => (at > 0 ? at : Number.NaN)) },
      { kind: 'rare-event', at: none() },
    ],
  };
};
const streaks = (rows: StepTable, former: readonly number[] = []) =>
  checkHardLimits(plan, rows, former).map(({ streak }) => streak);

test('a limit broken in the canary alone counts looks in a row, and starts anew after a good one', () => {
  const broken = table([9, 9, 1, 1], [0, 0, 0, 0]);
  expect(streaks(broken)).toEqual([1, 0]);
  expect(streaks(broken, [1, 0])).toEqual([2, 0]);
  expect(streaks(table([1, 1, 1, 1], [0, 0, 0, 0]), [1, 0])).toEqual([0, 0]);
  expect(checkHardLimits(plan, broken, [])[0]!.sentence).toBe(
    'errors is 0.0900 in the canary, above its hard limit 0.05; elsewhere it is 0.0100',
  );
});

test('a limit that is broken everywhere is not the canary’s fault', () => {
  expect(streaks(table([9, 9, 9, 9], [0, 0, 0, 0]), [1, 0])).toEqual([0, 0]);
});

test('without a baseline the pre-period stands in for it', () => {
  expect(streaks(table([9, 9, 9, 9], [0, 0, 0, 0], [1, 1, 1, 1]), [1, 0])).toEqual([2, 0]);
});

test('rare events are limited as a share of the instances known from before', () => {
  expect(streaks(table([1, 1, 1, 1], [5, 0, 0, 0]))).toEqual([0, 1]);
  expect(streaks(table([1, 1, 1, 1], [5, 0, 6, 0]))).toEqual([0, 0]);
});
