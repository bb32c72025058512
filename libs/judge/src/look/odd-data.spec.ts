import fc from 'fast-check';
import type { MetricDefinition } from '../metric.js';
import { planRollout } from '../plan/plan-rollout.js';
import { completePolicy } from '../policy.js';
import { beginPeriod, beginWatch, prePeriodLengths, preRowOf, stepLengths } from '../row/begin.js';
import { foldReport } from '../row/fold-report.js';
import { type InstanceRow, type JudgedReport, openRow } from '../row/instance-row.js';
import { tabulate } from '../row/tabulate.js';
import { judge } from './judge.js';
import { emptyHistory } from './look.js';

const names = ['requests', 'errors', 'memory'];
const value = fc.oneof(
  fc.integer({ min: 0, max: 50 }),
  fc.constantFrom(
    0,
    -1,
    1e-300,
    1e300,
    Number.MAX_VALUE,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ),
);
const gauge = fc.record(
  { sum: value, count: fc.integer({ min: 0, max: 5 }), logSum: value },
  { requiredKeys: ['sum', 'count'] },
);
const report = fc.record({
  instance: fc.integer({ min: 0, max: 30 }),
  boot: fc.integer({ min: 0, max: 2 }),
  seq: fc.integer({ min: 1, max: 20 }),
  counters: fc.dictionary(fc.constantFrom(...names), value),
  gauges: fc.dictionary(fc.constantFrom(...names), gauge),
  isCrash: fc.boolean(),
});

const critical = { tier: 'critical', worse: 'up' } as const;
const metrics: readonly MetricDefinition[] = [
  { kind: 'ratio', name: 'up', margin: 0, numerator: 'errors', denominator: 'requests', ...critical },
  {
    kind: 'ratio',
    name: 'down',
    margin: 0.1,
    numerator: 'errors',
    denominator: 'requests',
    tier: 'other',
    worse: 'down',
  },
  {
    kind: 'ratio',
    name: 'bounded',
    margin: 0,
    absoluteMargin: 0.9,
    numerator: 'errors',
    denominator: 'requests',
    ...critical,
  },
  { kind: 'gauge', name: 'log', margin: 0.1, gauge: 'memory', ...critical },
  { kind: 'gauge', name: 'linear', margin: -0.1, gauge: 'memory', scale: 'linear', ...critical },
  { kind: 'rare-event', name: 'crash', margin: 0, absoluteMargin: 0.1, event: 'crash', tier: 'critical' },
];

/** 31 instances, each either in the canary or not by its number; ten reports are a second. */
const bucketPpm = (instance: string) => (Number(instance) * 333_333) % 1_000_000;
const fold = (
  rows: Map<string, InstanceRow>,
  reports: readonly (typeof report extends fc.Arbitrary<infer T> ? T : never)[],
  from: number,
) =>
  reports.forEach(({ instance, boot, seq, counters, gauges, isCrash }, k) => {
    const id = String(instance);
    const judged: JudgedReport = {
      instance: id,
      bootId: `boot-${boot}`,
      seq,
      metrics: { counters, gauges, events: {} },
      ...(isCrash && { crash: { signature: 'x' } }),
    };
    rows.set(id, foldReport(rows.get(id)!, judged, from + k * 100));
  });
const change = (rows: Map<string, InstanceRow>, to: (row: InstanceRow) => InstanceRow) => {
  for (const [id, row] of rows) rows.set(id, to(row));
};

test('whatever is reported, a look is made of finite numbers and ends in a decision', () => {
  const policy = completePolicy(
    {
      bakeMs: 2_000,
      reportMs: 100,
      lostAfterMs: 500,
      minInstances: 3,
      minEvents: 1,
      hardLimits: [{ metric: 'log', max: 5 }],
    },
    400,
  );
  const many = fc.array(report, { minLength: 60, maxLength: 120 });
  fc.assert(
    fc.property(many, many, fc.integer({ min: 0, max: 2 }), (before, during, step) => {
      const rows = new Map(Array.from({ length: 31 }, (_, i) => [String(i), openRow(String(i))]));
      change(rows, (row) => beginPeriod(row, { startAt: 0, lengthsMs: prePeriodLengths(policy) }));
      fold(rows, before, 0);
      const preRows = [...rows.values()].flatMap((row) => preRowOf(row, bucketPpm(row.instance)) ?? []);
      const plan = planRollout({ preRows, metrics, policy, orderSalt: 'o' });
      const stepStartedAt = 12_000;
      const startAt = stepStartedAt + policy.warmUpMs;
      change(rows, (row) => beginWatch(row, { since: stepStartedAt, lostAfterMs: policy.lostAfterMs }));
      change(rows, (row) => beginPeriod(row, { startAt, lengthsMs: stepLengths(policy) }));
      fold(rows, during, stepStartedAt);
      const now = stepStartedAt + 12_000;
      const here = Math.min(step, plan.steps.length - 1);
      const table = tabulate({
        plan,
        step: here,
        stepStartedAt,
        now,
        rows: [...rows.values()],
        preRows,
        bucketPpm,
      });
      const look = judge({ plan, step: here, stepStartedAt, now, rows: table, history: emptyHistory });
      const seen = JSON.stringify({ plan, look }, (key, entry: unknown) => {
        if (typeof entry === 'number' && !Number.isFinite(entry)) throw new Error(`${key} is ${entry}`);
        return entry;
      });
      expect(seen).toBeTruthy();
      expect(['wait', 'extend', 'hold', 'promote', 'roll-back']).toContain(look.decision);
    }),
    { numRuns: 200 },
  );
});
