import { betOrder } from '../engine/cohort.js';
import { openScores } from '../engine/contrast.js';
import type { MetricDefinition } from '../metric.js';
import { seededDraws } from '../numeric/hash.js';
import { planRollout } from '../plan/plan-rollout.js';
import { completePolicy } from '../policy.js';
import type { MetricColumns, StepTable } from '../row/step-table.js';
import { absoluteSafety } from './absolute-safety.js';
import { gatherEvidence } from './gather-evidence.js';

const margins = { tier: 'critical', margin: 0, absoluteMargin: 0.05 } as const;
const errors: MetricDefinition = {
  kind: 'ratio',
  name: 'errors',
  numerator: 'errors',
  denominator: 'requests',
  worse: 'up',
  ...margins,
};
const crash: MetricDefinition = { kind: 'rare-event', name: 'crash', event: 'crash', ...margins };

const size = 400;
const ids = Array.from({ length: size }, (_, i) => `i${String(i).padStart(4, '0')}`);
const plan = planRollout({
  preRows: ids.map((instance) => ({
    instance,
    bakes: [0, 1].map(() => ({ counters: { requests: 100 }, gauges: {} })),
  })),
  metrics: [errors, crash],
  policy: completePolicy({ bakeMs: 1_000, warmUpMs: 0, reportMs: 0 }, size),
  orderSalt: 'o',
});
const atHalf = plan.steps.findIndex(({ isProofDue }) => isProofDue);
const draw = seededDraws('arms');
const canary = Uint8Array.from(ids, () => (draw() < 0.5 ? 1 : 0));

/** The whole bake is over for everybody but the lost; `bad` fail half of their requests, or crash. */
const lnSafe = (
  name: string,
  { bad = 0, lost = 0, lostArm = 1 }: { bad?: number; lost?: number; lostArm?: 0 | 1 },
) => {
  const canaries = ids.map((_, i) => i).filter((i) => canary[i] === 1);
  const others = ids.map((_, i) => i).filter((i) => canary[i] === 0);
  const isBad = new Set(canaries.slice(0, bad));
  const isLost = new Set((lostArm === 1 ? canaries : others).slice(0, lost));
  const column = (of: (i: number) => number) => Float64Array.from(ids, (_, i) => of(i));
  const finished = column((i) => (isLost.has(i) ? Number.NaN : 1_000));
  const sums = {
    y: column((i) => (isBad.has(i) ? 50 : 0)),
    w: column((i) => (isLost.has(i) ? Number.NaN : 100)),
  };
  const table: StepTable = {
    instances: ids,
    canary,
    known: new Uint8Array(size).fill(1),
    reported: new Uint8Array(size).fill(1),
    lostAt: column((i) => (isLost.has(i) ? 500 : Number.NaN)),
    finishedAt: [finished, finished, finished],
    metrics: [],
  };
  const columns: MetricColumns =
    name === 'errors'
      ? {
          kind: 'ratio',
          now: sums,
          windows: [sums, sums, sums],
          pre: { y: column(() => 0), w: column(() => 200) },
        }
      : { kind: 'rare-event', at: column((i) => (isBad.has(i) ? 400 : Number.NaN)) };
  const metric = plan.metrics.find(({ definition }) => definition.name === name)!;
  const order = betOrder(plan.orderSalt, ids);
  const context = {
    plan,
    step: atHalf,
    stepStartedAt: 0,
    now: 2_000,
    table,
    order: () => order,
    scores: openScores(size),
  };
  const carried = { information: 0, safeInformation: 0, hazards: [] };
  expect(gatherEvidence(metric, columns, carried, context).lnSafe).toBe(
    absoluteSafety(metric, columns, context),
  );
  return absoluteSafety(metric, columns, context)!;
};

const bar = Math.log(20 / 0.75);

test.each(['errors', 'crash'])('two hundred clean canaries prove %s within five points', (name) => {
  expect(lnSafe(name, {})).toBeGreaterThan(bar);
});

test('thirty bad ones prove nothing', () => {
  expect(lnSafe('errors', { bad: 30 })).toBeLessThan(bar);
  expect(lnSafe('crash', { bad: 30 })).toBeLessThan(0);
});

test.each(['errors', 'crash'])('lost canaries count against %s, lost baselines do not count', (name) => {
  expect(lnSafe(name, { lost: 30 })).toBeLessThan(0);
  expect(lnSafe(name, { lost: 30, lostArm: 0 })).toBeGreaterThan(bar);
});
