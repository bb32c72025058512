import { ladderFor } from './ladder.js';
import { planSteps } from './plan-steps.js';

const percents = (size: number) => ladderFor(size).weightsPpm.map((ppm) => ppm / 10_000);

test.each([
  [5, [50, 100], 0],
  [20, [25, 50, 100], 0],
  [100, [10, 25, 50, 100], 0],
  [200, [5, 25, 50, 90], 10],
  [400, [5, 25, 50, 95], 5],
  [1_000, [1, 10, 25, 50, 75, 95], 5],
  [4_000, [1, 5, 10, 25, 50, 75, 99], 1],
  [20_000, [1, 5, 10, 25, 50, 75, 90, 99], 1],
])('%d instances climb %j with %d %% held back', (size, steps, holdBack) => {
  expect(percents(size)).toEqual(steps);
  expect(ladderFor(size).holdBackPpm).toBe(holdBack * 10_000);
});

test('a policy may bring its own ladder; a fleet that nobody has seen gets three steps', () => {
  expect(ladderFor(400, [500_000, 100_000]).weightsPpm).toEqual([100_000, 500_000]);
  expect(percents(0)).toEqual([10, 50, 100]);
});

test('shares add up to one, count double at 50 %, half above, and nothing where an arm is below five', () => {
  const steps = planSteps(ladderFor(400), 400);
  expect(steps.map(({ share }) => share)).toEqual([1, 1, 2, 0.5].map((raw) => raw / 4.5));
  expect(planSteps(ladderFor(20), 20).map(({ share }) => share)).toEqual([1 / 3, 2 / 3, 0]);
  expect(planSteps(ladderFor(5), 5).map(({ share }) => share)).toEqual([0, 0]);
});

test('proof is due at 50 %, on evidence of 25 % and 50 %', () => {
  const steps = planSteps(ladderFor(400), 400);
  expect(steps.map(({ isProofDue }) => isProofDue)).toEqual([false, false, true, false]);
  expect(steps.map(({ safeShare }) => safeShare)).toEqual([0, 0.25, 0.75, 0]);
  expect(planSteps(ladderFor(5), 5).map(({ safeShare }) => safeShare)).toEqual([1, 0]);
});
