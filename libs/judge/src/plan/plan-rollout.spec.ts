import type { MetricDefinition, RatioMetric } from '../metric.js';
import { seededDraws } from '../numeric/hash.js';
import { completePolicy, type JudgePolicy } from '../policy.js';
import type { PreRow } from '../row/pre-row.js';
import { explainPlan } from './explain-plan.js';
import { planRollout } from './plan-rollout.js';

const errors: RatioMetric = {
  kind: 'ratio',
  name: 'errors',
  tier: 'critical',
  margin: 0,
  numerator: 'errors',
  denominator: 'requests',
  worse: 'up',
};
const memory: MetricDefinition = {
  kind: 'gauge',
  name: 'memory',
  tier: 'critical',
  margin: 0,
  gauge: 'memory',
  worse: 'up',
};

const gauge = (level: number) => ({ sum: Math.exp(level), count: 1, logSum: level, logCount: 1 });

interface Fleet {
  readonly errorRate: number;
  /** Adds to the level of instances that the bucket puts below 50 %. */
  readonly tilt?: number;
  readonly extra?: number;
}

const fleetOf = (size: number, { errorRate, tilt = 0, extra = 0 }: Fleet): readonly PreRow[] => {
  const draw = seededDraws(`fleet-${size}`);
  return Array.from({ length: size }, (_, i) => {
    const bucketPpm = Math.floor(draw() * 1_000_000);
    const level = draw() + (bucketPpm < 500_000 ? tilt : 0);
    const bake = () => {
      let failed = 0;
      for (let k = 0; k < 100; k++) if (draw() < errorRate) failed += 1;
      const others = Array.from({ length: extra }, (_, k) => [`other-${k}`, k % 3]);
      return {
        counters: { requests: 100, errors: failed, ...Object.fromEntries(others) },
        gauges: { memory: gauge(level + 0.02 * draw()) },
      };
    };
    return {
      instance: `instance-${String(i).padStart(5, '0')}`,
      bucketPpm,
      bakes: [bake(), bake()],
      events: [],
    };
  });
};

const plan = (
  preRows: readonly PreRow[],
  metrics: readonly MetricDefinition[],
  policy: Partial<JudgePolicy> = {},
) =>
  planRollout({
    preRows,
    metrics,
    policy: completePolicy({ bakeMs: 3_600_000, ...policy }, preRows.length),
    orderSalt: 'o',
  });
const named = (made: ReturnType<typeof plan>, name: string) =>
  made.metrics.find(({ definition }) => definition.name === name)!;

const fleet400 = fleetOf(400, { errorRate: 0.01 });

test('the same rows in any order make the same plan, byte for byte', () => {
  const other = plan([...fleet400].reverse(), [errors, memory]);
  expect(JSON.stringify(other)).toBe(JSON.stringify(plan(fleet400, [errors, memory])));
});

test('engines are chosen from the pre-period: large samples where both arms and the events allow, else exact ones', () => {
  const made = plan(fleet400, [errors, memory]);
  expect(named(made, 'errors').engines).toEqual(['N', 'N', 'N', 'N']);
  expect(named(made, 'heartbeat-lost').engines).toEqual(['L', 'L', 'L', 'L']);
  const rare = plan(fleetOf(400, { errorRate: 0.0005 }), [errors]);
  expect(named(rare, 'errors').engines).toEqual(['B', 'B', 'N', 'N']);
  expect(named(plan(fleetOf(100, { errorRate: 0.01 }), [errors]), 'errors').engines).toEqual([
    'B',
    'N',
    'N',
    'none',
  ]);
});

test('larger fleets see smaller harm, and say so beforehand', () => {
  const seen = [100, 400, 1_000].map((size) => {
    const made = plan(fleetOf(size, { errorRate: 0.01 }), [errors]);
    return named(made, 'errors').detectable[made.steps.findIndex(({ weightPpm }) => weightPpm === 500_000)]!;
  });
  expect(seen[0]).toBeGreaterThan(seen[1]!);
  expect(seen[1]).toBeGreaterThan(seen[2]!);
  const lines = explainPlan(plan(fleet400, [errors, memory])).join('\n');
  expect(lines).toContain('400 instances reported; steps 5 %, 25 %, 50 %, 95 %, hold-back 5 %');
  expect(lines).toMatch(/at 50 %: this rollout can see errors ≥ \+\d+ %, memory ≥ \+[\d.]+ %/);
});

test('critical metrics share half of the budget, and all of it when they are alone', () => {
  const other: MetricDefinition = { ...errors, name: 'other', tier: 'other' };
  const made = plan(fleet400, [errors, other]);
  expect(made.metrics.map(({ weight }) => weight)).toEqual([0.25, 0.5, 0.25]);
  expect(plan(fleet400, [errors]).metrics.map(({ weight }) => weight)).toEqual([0.5, 0.5]);
});

describe('proof is due', () => {
  const wide = (margins: Partial<RatioMetric>) =>
    named(plan(fleet400, [{ ...errors, ...margins }]), 'errors').isDue;

  test('of a relative margin that this fleet can show, and of no narrower one', () => {
    expect(wide({ safeMargin: 5 })).toBe(true);
    expect(wide({ safeMargin: 0.05 })).toBe(false);
    expect(wide({})).toBe(false);
  });

  test('of an absolute margin only if every resampled fleet shows it', () => {
    expect(wide({ absoluteMargin: 0.2 })).toBe(true);
    expect(wide({ absoluteMargin: 0.001 })).toBe(false);
  });

  test('of critical metrics only', () => {
    expect(wide({ safeMargin: 5, tier: 'other' })).toBe(false);
  });
});

describe('a plan refuses', () => {
  test('to demand an improvement that the fleet cannot show', () => {
    const made = plan(fleet400, [{ ...errors, margin: -0.01 }]);
    expect(made.refusals).toEqual([expect.stringContaining('errors must improve by 1 %')]);
    expect(explainPlan(made).at(-1)).toMatch(/^REFUSED: /);
    expect(plan(fleet400, [errors]).refusals).toEqual([]);
  });

  test('a hard limit that was broken before, or that names no metric', () => {
    const limits = (max: number, metric = 'errors') =>
      plan(fleet400, [errors], { hardLimits: [{ metric, max }] }).refusals;
    expect(limits(0.005)).toEqual([expect.stringContaining('was broken before the rollout began')]);
    expect(limits(0.02)).toEqual([]);
    expect(limits(1, 'unknown')).toEqual([expect.stringContaining('unknown, which is not judged')]);
  });
});

test('a metric that already tells the future arms apart is quarantined; the control is not', () => {
  expect(named(plan(fleetOf(400, { errorRate: 0.01, tilt: 0 }), [memory]), 'memory').isQuarantined).toBe(
    false,
  );
  const drifting = fleetOf(400, { errorRate: 0.01 }).map((row) => {
    const [before, after] = row.bakes;
    const level = after!.gauges.memory!.logSum + (row.bucketPpm! < 500_000 ? 0.1 : 0);
    return { ...row, bakes: [before!, { ...after!, gauges: { memory: gauge(level) } }] };
  });
  const made = plan(drifting, [memory]);
  expect(named(made, 'memory')).toMatchObject({
    isQuarantined: true,
    engines: ['none', 'none', 'none', 'none'],
  });
  expect(explainPlan(made)).toContain('memory already differed between the future arms and is not judged');
});

test('fewer than ten reporters are a sparse plan, none at all still a plan', () => {
  expect(plan(fleetOf(9, { errorRate: 0.01 }), [errors]).mode).toBe('sparse');
  expect(plan([], [errors, memory])).toMatchObject({ mode: 'sparse', fleetSize: 0 });
});

test('the plan of 4,000 instances and 100 metrics is JSON of at most 64 KiB', () => {
  const extra = Array.from({ length: 99 }, (_, k): MetricDefinition => {
    return { ...errors, name: `other-${k}`, numerator: `other-${k}`, tier: 'other' };
  });
  const made = plan(fleetOf(4_000, { errorRate: 0.01, extra: 99 }), [errors, ...extra]);
  const text = JSON.stringify(made);
  expect(made.metrics).toHaveLength(101);
  expect(text.length).toBeLessThanOrEqual(65_536);
  expect(JSON.parse(text)).toEqual(made);
});
