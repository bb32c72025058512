import { planRollout } from '../plan/plan-rollout.js';
import { completePolicy } from '../policy.js';
import { silenceSentence, span } from './silence.js';

const planOf = (fleetSize: number, signalProbability?: number) =>
  planRollout({
    preRows: Array.from({ length: fleetSize }, (_, i) => ({ instance: `i${i}`, bakes: [] })),
    metrics: [],
    policy: completePolicy({ ladderPpm: [500_000, 1_000_000], signalProbability }, fleetSize),
    orderSalt: 'order',
  });
const reporters = (canary: number) => ({
  canary,
  baseline: 0,
  finished1: 0,
  finished0: 0,
  expected1: 0,
  expected0: 0,
});

test('200 silent canaries, each failure heard of once in ten: at most 15 % are broken, as the page has it', () => {
  expect(silenceSentence(planOf(0), 0, reporters(200))).toBe(
    'what silence shows: with 95 % confidence at most 15 % of the 200 instances on the new path are broken, if a failure becomes known with probability 0.1 in that time',
  );
});

test('the policy says how likely a failure becomes known', () => {
  expect(silenceSentence(planOf(0, 0.5), 0, reporters(200))).toContain('at most 3 % of the 200');
});

test('who is silent now and reported before is counted as the plan counts', () => {
  expect(silenceSentence(planOf(400), 0, reporters(3))).toContain('at most 15 % of the 200');
});

test('silence of few shows nothing, and of nobody nothing either: it says so', () => {
  expect(silenceSentence(planOf(0), 0, reporters(30))).toContain('nothing, as 30 instances');
  expect(silenceSentence(planOf(0), 0, reporters(31))).toContain('at most 96.8 %');
  expect(silenceSentence(planOf(0), 0, reporters(0))).toContain('nothing, as nobody knows');
});

test('a time is said in the largest unit that fits', () => {
  expect([span(86_400_000), span(90_000), span(4_000)]).toEqual(['24 h', '1.5 min', '4 s']);
});
