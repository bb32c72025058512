import fc from 'fast-check';
import type { MetricDefinition } from '../metric.js';
import { orderHash, seededDraws } from '../numeric/hash.js';
import { planRollout } from '../plan/plan-rollout.js';
import type { RolloutPlan } from '../plan/rollout-plan.js';
import { completePolicy, type JudgePolicy } from '../policy.js';
import { beginPeriod, beginWatch, prePeriodLengths, preRowOf, stepLengths } from '../row/begin.js';
import { foldReport } from '../row/fold-report.js';
import { type InstanceRow, openRow } from '../row/instance-row.js';
import type { PreRow } from '../row/pre-row.js';
import { tabulate } from '../row/tabulate.js';
import { judge } from './judge.js';
import { emptyHistory, type History, type Look } from './look.js';
import type { Signal } from './signal.js';

const metrics: readonly MetricDefinition[] = [
  {
    kind: 'ratio',
    name: 'errors',
    tier: 'critical',
    margin: 0,
    numerator: 'errors',
    denominator: 'requests',
    worse: 'up',
  },
  { kind: 'gauge', name: 'memory', tier: 'other', margin: 0.05, gauge: 'memory', worse: 'up' },
];
/** The demo's times: ten seconds of bake, a report a second. */
const demoTimes: Partial<JudgePolicy> = { bakeMs: 10_000, reportMs: 1_000, lostAfterMs: 3_000 };
const requestsPerReport = 5;
const idOf = (i: number) => `instance-${String(i).padStart(4, '0')}`;
const buckets = new Map(
  Array.from({ length: 400 }, (_, i) => [
    idOf(i),
    Math.floor((orderHash('bucket', idOf(i)) / 2 ** 53) * 1e6),
  ]),
);
const bucketPpm = (instance: string) => buckets.get(instance)!;

interface Path {
  /** Chance that a request fails on the new path. */
  readonly failsOn: number;
  /** Instances on the new path go silent. */
  readonly diesOn?: boolean;
}
const baseRate = 0.003;

/** A fleet whose instances send a report a second and know nothing of the judge; every report goes through `foldReport`. */
class ReportingFleet {
  rows: readonly InstanceRow[];
  now = 0;
  private readonly counts: {
    seq: number;
    requests: number;
    errors: number;
    memory: number;
    logSum: number;
  }[];
  private readonly draw: () => number;
  private readonly path: Path;

  constructor(size: number, seed: number, path: Path) {
    this.draw = seededDraws(`fleet-${seed}`);
    this.path = path;
    this.rows = Array.from({ length: size }, (_, i) => openRow(idOf(i)));
    this.counts = this.rows.map(() => ({ seq: 0, requests: 0, errors: 0, memory: 0, logSum: 0 }));
  }

  begin(change: (row: InstanceRow) => InstanceRow): void {
    this.rows = this.rows.map(change);
  }

  /** One second: everybody serves five requests and reports. */
  second(weightPpm: number): void {
    this.now += 1_000;
    this.rows = this.rows.map((row, i) => {
      const isOn = bucketPpm(row.instance) < weightPpm;
      if (isOn && this.path.diesOn) return row;
      const count = this.counts[i]!;
      count.seq += 1;
      for (let k = 0; k < requestsPerReport; k++) {
        count.requests += 1;
        if (this.draw() < (isOn ? this.path.failsOn : baseRate)) count.errors += 1;
      }
      count.memory += 1;
      count.logSum += i / 400 + 0.1 * this.draw();
      const at = this.now - 900 + i * 2;
      const { requests, errors, memory, logSum } = count;
      const gauges = { memory: { sum: memory, count: memory, logSum } };
      const report = { instance: row.instance, bootId: 'a', seq: count.seq };
      return foldReport(
        row,
        { ...report, metrics: { counters: { requests, errors }, gauges, events: {} } },
        at,
      );
    });
  }
}

interface Story {
  readonly plan: RolloutPlan;
  readonly preRows: readonly PreRow[];
  readonly looks: readonly Look[];
  readonly end: Look;
  /** Tables' inputs of the last look, to look again. */
  readonly last: {
    readonly rows: readonly InstanceRow[];
    readonly stepStartedAt: number;
    readonly history: History;
  };
}

const runStory = (
  size: number,
  seed: number,
  path: Path,
  lookEvery = 2,
  declared: Partial<JudgePolicy> = {},
): Story => {
  const fleet = new ReportingFleet(size, seed, path);
  const policy = completePolicy({ ...demoTimes, ...declared }, size);
  fleet.begin((row) => beginPeriod(row, { startAt: 0, lengthsMs: prePeriodLengths(policy) }));
  fleet.begin((row) => beginWatch(row, { since: 0, lostAfterMs: policy.lostAfterMs }));
  while (fleet.now < policy.prePeriodMs + 2_000) fleet.second(0);
  const preRows = fleet.rows.flatMap((row) => preRowOf(row, bucketPpm(row.instance)) ?? []);
  const plan = planRollout({ preRows, metrics, policy, orderSalt: 'order' });
  fleet.begin((row) => beginWatch(row, { since: fleet.now, lostAfterMs: policy.lostAfterMs }));
  let history = emptyHistory;
  const looks: Look[] = [];
  for (let step = 0; ; step++) {
    const stepStartedAt = fleet.now;
    const startAt = stepStartedAt + policy.warmUpMs;
    fleet.begin((row) => beginPeriod(row, { startAt, lengthsMs: stepLengths(policy) }));
    for (let second = 1; ; second++) {
      fleet.second(plan.steps[step]!.weightPpm);
      if (second % lookEvery !== 0) continue;
      const last = { rows: fleet.rows, stepStartedAt, history };
      const table = tabulate({
        plan,
        step,
        now: fleet.now,
        preRows,
        bucketPpm,
        rows: fleet.rows,
        stepStartedAt,
      });
      const look = judge({ plan, step, stepStartedAt, now: fleet.now, rows: table, history });
      history = look.history;
      looks.push(look);
      const isLast = plan.steps[step]!.isFinal && look.decision === 'promote';
      if (isLast || look.decision === 'roll-back') return { plan, preRows, looks, end: look, last };
      if (look.decision === 'promote') break;
    }
  }
};

const lookAgain = (
  { plan, preRows, end, last }: Story,
  rows = last.rows,
  ownPreRows = preRows,
  signals?: readonly Signal[],
): Look => {
  const { step, at: now } = end;
  const { stepStartedAt, history } = last;
  const table = tabulate({ plan, step, now, preRows: ownPreRows, bucketPpm, rows, stepStartedAt });
  return judge({ plan, step, stepStartedAt, now, rows: table, history, ...(signals && { signals }) });
};

describe('a fleet of 400 that reports once a second', () => {
  const good = runStory(400, 1001, { failsOn: baseRate });
  const bad = runStory(400, 1002, { failsOn: 0.03 });

  test('completes when the new path is like the old one', () => {
    expect([good.end.decision, good.end.code, good.end.weightPpm]).toEqual(['promote', 'judged', 950_000]);
    expect(good.looks.every(({ decision }) => decision !== 'roll-back' && decision !== 'hold')).toBe(true);
  });

  test('is rolled back by its 25 % step when 3 % of requests fail instead of 0.3 %', () => {
    expect([bad.end.decision, bad.end.code]).toEqual(['roll-back', 'worse']);
    expect(bad.end.weightPpm).toBeLessThanOrEqual(250_000);
    expect(bad.end.eBH).toEqual(['errors']);
    expect(bad.end.reasons[1]).toMatch(/^errors: e-value /);
  });

  test('looks again at the same rows and finds the same bytes', () => {
    expect(JSON.stringify(lookAgain(bad))).toBe(JSON.stringify(bad.end));
    const fromJson = JSON.parse(JSON.stringify(bad)) as Story;
    expect(JSON.stringify(lookAgain(fromJson))).toBe(JSON.stringify(bad.end));
  });

  test('does not care in which order rows come', () => {
    const shuffled = fc.shuffledSubarray([...bad.last.rows], { minLength: 400, maxLength: 400 });
    fc.assert(
      fc.property(shuffled, (rows) => {
        expect(JSON.stringify(lookAgain(bad, rows, [...bad.preRows].reverse()))).toBe(
          JSON.stringify(bad.end),
        );
      }),
      { numRuns: 5 },
    );
  });

  test('would see other evidence in other rows', () => {
    expect(lookAgain(bad, bad.last.rows.slice(1)).lnEBar).not.toBe(bad.end.lnEBar);
  });
});

test('a canary that falls silent on start is rolled back by its missing heartbeats', () => {
  const { end } = runStory(400, 1003, { failsOn: baseRate, diesOn: true });
  expect([end.decision, end.code, end.weightPpm]).toEqual(['roll-back', 'worse', 50_000]);
  expect(end.eBH).toEqual(['heartbeat-lost']);
});

test('looking more often changes nothing that is bet on the assignment', () => {
  // Forty instances: both arms of the 25 % step are small enough for engine B.
  const [often, seldom] = [
    runStory(40, 1004, { failsOn: 0.004 }, 1),
    runStory(40, 1004, { failsOn: 0.004 }, 7),
  ];
  expect(often.plan.metrics[0]!.engines[0]).toBe('B');
  const lnEOf = ({ looks }: Story, at: number) =>
    looks.find((look) => look.step === 0 && look.at === at)?.perMetric[0]?.lnE;
  const at = 22_000 + 14_000;
  expect(lnEOf(often, at)).toBe(lnEOf(seldom, at));
  expect(lnEOf(often, at)).toBeDefined();
  expect(lnEOf(often, at)).not.toBe(0);
});

test('twelve instances are told that nothing was judged, and complete', () => {
  const { end, looks } = runStory(12, 1005, { failsOn: baseRate });
  expect([end.decision, end.code]).toEqual(['promote', 'unjudged:no-hold-back']);
  expect(looks.find(({ decision }) => decision === 'promote')?.code).toBe('unjudged:too-small');
});

describe('signals at a look', () => {
  const objection: Signal = {
    kind: 'objection',
    source: { kind: 'vendor', name: 'acme' },
    at: 1,
    detail: 'the till stays shut',
  };
  const again = (story: Story, signals: readonly Signal[]) =>
    lookAgain(story, story.last.rows, story.preRows, signals);
  const times = { sparseTimeMs: 20_000, firstSparseTimeMs: 20_000, ladderPpm: [500_000, 900_000] };
  const few = runStory(8, 1007, { failsOn: baseRate }, 2, times);

  test('end what was promoted unjudged, are recorded with it, and make the same bytes again', () => {
    expect([few.end.decision, few.end.code]).toEqual(['promote', 'unjudged:no-reports']);
    expect(few.end.reasons[1]).toMatch(/^what silence shows: /);
    const ended = again(few, [objection]);
    expect([ended.decision, ended.code, ended.signals]).toEqual(['roll-back', 'signal', [objection]]);
    expect(ended.reasons).toEqual([
      '1 signal from 1 source at 90 %: enough where reports are few',
      'objection (vendor acme): the till stays shut',
    ]);
    expect(JSON.stringify(again(few, [{ ...objection }]))).toBe(JSON.stringify(ended));
  });

  test('leave the bytes of a look without them as they were', () => {
    expect(JSON.stringify(again(few, []))).toBe(JSON.stringify(few.end));
    expect(few.end).not.toHaveProperty('signals');
  });

  test('are named and decide nothing where reports decide', () => {
    const many = runStory(400, 1008, { failsOn: baseRate });
    const look = again(many, [objection]);
    expect([look.decision, look.code, look.lnEBar]).toEqual([
      many.end.decision,
      many.end.code,
      many.end.lnEBar,
    ]);
    expect(look.reasons).toContain('1 signal known; this step is judged by reports and not by them');
  });

  test('count a hard limit at the first look that finds it broken, one before it is a verdict', () => {
    const limited = { ...times, ladderPpm: [500_000], hardLimits: [{ metric: 'errors', max: 0.2 }] };
    const { looks, end } = runStory(8, 1009, { failsOn: 0.6 }, 2, limited);
    expect([end.decision, end.code]).toEqual(['roll-back', 'limit']);
    const before = looks.at(-2)!;
    expect([before.decision, before.code]).toEqual(['hold', 'signal']);
    expect(before.signals).toMatchObject([{ kind: 'limit', source: { name: 'local' }, at: before.at }]);
    expect(looks.at(-3)!.signals).toBeUndefined();
  });
});

test('a table of another plan, or a step that the plan does not have, is refused', () => {
  const { plan, preRows, last } = runStory(12, 1006, { failsOn: baseRate });
  const at = { plan, step: 0, now: 1, stepStartedAt: last.stepStartedAt, history: emptyHistory };
  const table = tabulate({ ...at, preRows, bucketPpm, rows: last.rows });
  expect(() => judge({ ...at, rows: { ...table, metrics: table.metrics.slice(1) } })).toThrow('another plan');
  expect(() => judge({ ...at, step: 9, rows: table })).toThrow('no step 9');
});
