import { createHash } from 'node:crypto';
import { judgePolicy, type MetricDefinition } from '@headgate/contracts';
import type { RaisedSignal, Rollout } from '@headgate/domain';
import { bucket } from '@headgate/evaluation';
import { HEARTBEAT_LOST, type Look } from '@headgate/judge';
import fc from 'fast-check';
import type { TelemetryReport } from '../telemetry/telemetry-pack.js';
import { type MadeLook, RolloutAnalysis } from './rollout-analysis.js';

const T0 = 1_780_000_000_000;
const SECOND = 1_000;
const HOUR = 3_600_000;
const CANARY_PPM = 250_000;
const METRICS: readonly MetricDefinition[] = [
  {
    kind: 'ratio',
    name: 'errors',
    numerator: 'failed',
    denominator: 'requests',
    worse: 'up',
    tier: 'critical',
    margin: 0,
  },
];
/** Bakes of 10 s, hence a report a second, a pre-period of 20 s and a warm-up of 2 s. */
const POLICY = judgePolicy.parse({ bakeMs: 10 * SECOND, ladderPpm: [CANARY_PPM, 500_000] });
/** The pre-period and the time for everybody's last report of it. */
const PLANNED_AT = T0 + 21.5 * SECOND;
const ENTERED_AT = T0 + 22 * SECOND;
const FIRST_LOOK_AT = ENTERED_AT + 2 * SECOND + 1.5 * SECOND;

const requested = (policy = POLICY): Rollout => ({
  id: '00000000-0000-7000-8000-000000000001',
  channel: 'stable',
  flagId: '00000000-0000-7000-8000-000000000002',
  variant: 'on',
  seed: 'seed',
  policy,
  metrics: METRICS,
  requestedAt: T0,
  why: 'spec',
  steps: [],
  verdicts: [],
  signals: [],
  planned: null,
  status: 'pre-period',
});

const idOf = (n: number): string => createHash('sha256').update(`instance ${n}`).digest('hex');
const isCanary = (n: number): boolean => bucket('seed', idOf(n)) < CANARY_PPM;

const reportOf = (n: number, seq: number, failed: number): TelemetryReport => ({
  schema: 'headgate.report.v1',
  project: 'shop',
  channel: 'stable',
  instance: idOf(n),
  bootId: createHash('md5').update(`boot ${n}`).digest('hex'),
  seq,
  version: { upstream: '1' },
  health: 'ok',
  flags: [],
  metrics: { counters: { requests: 20 * seq, failed } },
  window: { startedAt: 1, endedAt: 2 },
});

interface Sent {
  readonly at: number;
  readonly report: TelemetryReport;
}

interface Story {
  readonly size?: number;
  readonly untilMs?: number;
  readonly everyMs?: number;
  /** Requests that fail for instance `n` in its round. */
  readonly fails?: (n: number, at: number) => number;
  readonly reports?: (n: number, at: number) => boolean;
  readonly crash?: (n: number, at: number) => TelemetryReport['crash'];
}

/** A fleet in which each instance reports once a round, all at a time of their own. */
const tell = ({
  size = 120,
  untilMs = 50 * SECOND,
  everyMs = SECOND,
  fails,
  reports,
  crash,
}: Story = {}): Sent[] => {
  const sent: Sent[] = [];
  const failed = new Array<number>(size).fill(0);
  for (let seq = 1; seq * everyMs <= untilMs; seq++)
    for (let n = 0; n < size; n++) {
      const at = T0 + seq * everyMs + n;
      failed[n]! += fails?.(n, at) ?? ((n + seq) % 10 === 0 ? 1 : 0);
      const crashed = crash?.(n, at);
      const report = { ...reportOf(n, seq, failed[n]!), ...(crashed && { crash: crashed }) };
      if (reports?.(n, at) ?? true) sent.push({ at, report });
    }
  return sent;
};

/** As live analysis would run it: acts between packs in the order of time, the log answering at once. */
const run = (
  sent: readonly Sent[],
  { untilMs = 50 * SECOND, policy = POLICY, signals = [] as readonly RaisedSignal[] } = {},
) => {
  let rollout = requested(policy);
  const analysis = new RolloutAnalysis('shop', rollout);
  const looks: MadeLook[] = [];
  const acts: string[] = [];
  let sequence = 0;
  let now = T0;
  const performBefore = (time: number): void => {
    for (let due = analysis.due(); due && due.at < time; due = analysis.due()) {
      now = Math.max(now, due.at);
      const done = analysis.perform(due, now, sequence);
      acts.push(`${due.kind} ${due.kind === 'adopt-plan' || due.kind === 'look' ? '' : now - T0}`.trim());
      if (done.kind === 'look') looks.push(done);
      if (done.kind !== 'plan') continue;
      const planned = { ...done.planned, at: now };
      const steps = [
        { step: 0, weightPpm: CANARY_PPM, enteredAt: Math.max(now, ENTERED_AT), verdictId: null },
      ];
      rollout = {
        ...requested(policy),
        signals,
        status: 'baking',
        planned,
        ...steps[0]!,
        verdict: null,
        steps,
      };
      analysis.update(rollout);
    }
  };
  for (const { at, report } of sent) {
    performBefore(at);
    now = Math.max(now, at);
    sequence += 1;
    analysis.take({ sequence, project: 'shop', at, reports: [report] });
  }
  performBefore(T0 + untilMs);
  return { looks, acts, rollout };
};

/** Digest of everything the looks say; the script alone may differ. */
const bytes = (looks: readonly MadeLook[]): string =>
  createHash('sha256')
    .update(JSON.stringify(looks.map(({ look, onInstanceHours }) => ({ look, onInstanceHours }))))
    .digest('hex');
const metric = (look: Look, name: string) => look.perMetric.find((found) => found.name === name)!;

describe('the analysis of a rollout', () => {
  it('plans when the pre-period is over and everybody has told of it, then looks in the rhythm of the policy', () => {
    const { looks, acts, rollout } = run(tell());
    expect(acts.slice(0, 4)).toEqual([
      `propose-plan ${PLANNED_AT - T0}`,
      'adopt-plan',
      `enter-step ${ENTERED_AT - T0}`,
      'look',
    ]);
    expect((rollout.planned!.plan as { fleetSize: number }).fleetSize).toBe(120);
    expect(looks.slice(0, 3).map(({ look }) => look.at)).toEqual(
      [0, 1, 2].map((k) => FIRST_LOOK_AT + k * 2.5 * SECOND),
    );
    expect(looks.map(({ look }) => look.decision).slice(0, 6)).toEqual([
      'wait',
      'wait',
      'wait',
      'wait',
      'promote',
      'promote',
    ]);
  });

  it('puts instances into arms by their bucket, whatever they say of their flags', () => {
    const honest = run(tell());
    const lying = run(
      tell().map(({ at, report }) => ({
        at,
        report: { ...report, flags: [{ name: 'new-path', value: 'on' }] },
      })),
    );
    const canaries = Array.from({ length: 120 }, (_, n) => isCanary(n)).filter(Boolean).length;
    expect(honest.looks.at(-1)!.look.canary).toBe(canaries);
    expect(bytes(lying.looks)).toBe(bytes(honest.looks));
  });

  it('finds a canary that fails more, and nothing when all fail alike', () => {
    const bad = run(tell({ fails: (n, at) => (at > ENTERED_AT && isCanary(n) ? 6 : n % 3 === 0 ? 1 : 0) }));
    expect(bad.looks.at(-1)!.look).toMatchObject({ decision: 'roll-back', code: 'worse' });
    const alike = run(tell({ fails: (n, at) => (at > ENTERED_AT ? 6 : n % 3 === 0 ? 1 : 0) }));
    expect(alike.looks.filter(({ look }) => look.decision === 'roll-back')).toEqual([]);
  });

  it('takes the silence of known instances in the canary as harm', () => {
    const silent = run(tell({ reports: (n, at) => at < ENTERED_AT + SECOND || !isCanary(n) }));
    expect(metric(silent.looks.at(-1)!.look, HEARTBEAT_LOST).state).toBe('worse');
    const everybody = run(tell({ reports: (_, at) => at < ENTERED_AT + SECOND }));
    expect(metric(everybody.looks.at(-1)!.look, HEARTBEAT_LOST).state).not.toBe('worse');
  });

  it('is moved by nothing that was said before: repeated and overtaken reports', () => {
    const sent = tell({ size: 40 });
    const plain = bytes(run(sent).looks);
    const details = fc.check(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: sent.length - 1 }), fc.nat({ max: sent.length - 1 })), {
          maxLength: 60,
        }),
        (repeats) => {
          const again = [...sent];
          // Sent once more at a later time, when a newer one of the same instance has long been taken or not.
          const late = repeats.map(([a, b]) => ({
            what: sent[Math.min(a, b)]!,
            when: sent[Math.max(a, b)]!,
          }));
          for (const { what, when } of late)
            again.splice(again.indexOf(when) + 1, 0, { at: when.at, report: what.report });
          expect(bytes(run(again).looks)).toBe(plain);
        },
      ),
      { numRuns: 30 },
    );
    process.stdout.write(`repeated reports: ${details.numRuns} runs, seed ${details.seed}\n`);
    expect(details.failed ? fc.defaultReportMessage(details) : null).toBeNull();
  });

  it('goes by the time of receipt: windows in the future or the past change nothing', () => {
    const sent = tell();
    const skewed = sent.map(({ at, report }, k) => {
      const startedAt = k % 2 === 0 ? at + 365 * 24 * HOUR : 0;
      return { at, report: { ...report, window: { startedAt, endedAt: startedAt } } };
    });
    expect(bytes(run(skewed).looks)).toBe(bytes(run(sent).looks));
  });

  it('does not go back in time when packs of two collectors cross', () => {
    const sent = tell();
    const crossed = sent.map((one, k) => (k % 7 === 3 ? { ...one, at: one.at - 400 } : one));
    expect(run(crossed).looks.map(({ look }) => [look.at, look.decision])).toEqual(
      run(sent).looks.map(({ look }) => [look.at, look.decision]),
    );
  });

  it('reads its own project and channel only', () => {
    const sent = tell();
    const others = sent.flatMap((one) => [
      one,
      { at: one.at, report: { ...one.report, channel: 'candidate', seq: one.report.seq + 500 } },
    ]);
    expect(bytes(run(others).looks)).toBe(bytes(run(sent).looks));
  });

  it('passes over what is no report, wherever it came from', () => {
    const sent = tell({ size: 40 });
    const plain = bytes(run(sent).looks);
    const junk = fc.oneof(
      fc.jsonValue(),
      fc.record({ channel: fc.constant('stable'), metrics: fc.jsonValue() }),
      fc.record({
        channel: fc.constant('stable'),
        instance: fc.constant(idOf(7)),
        bootId: fc.constant('x'),
        seq: fc.constant('1'),
        metrics: fc.constant({ counters: { failed: null, requests: 'many' } }),
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: sent.length - 1 }), junk), { maxLength: 20 }), (pieces) => {
        const dirty = [...sent];
        for (const [after, piece] of pieces)
          dirty.splice(dirty.indexOf(sent[after]!), 0, {
            at: sent[after]!.at,
            report: piece as unknown as TelemetryReport,
          });
        expect(bytes(run(dirty).looks)).toBe(plain);
      }),
      { numRuns: 15 },
    );
  });

  it('begins its pre-period anew when the fleet is larger than the bake time was meant for', () => {
    const policy = judgePolicy.parse({ ladderPpm: [CANARY_PPM, 500_000] });
    const story = { size: 60, everyMs: HOUR, untilMs: 60 * HOUR };
    // 49 instances bake for 24 h, 50 for 8 h: the last ten come five hours late.
    const reports = (n: number, at: number): boolean => n < 45 || at > T0 + 5 * HOUR;
    const { acts, rollout } = run(tell({ ...story, reports }), { untilMs: story.untilMs, policy });
    const restarts = acts.filter((act) => act.startsWith('restart'));
    expect(restarts.length).toBe(1);
    const restartedAt = Number(restarts[0]!.split(' ')[1]);
    expect(restartedAt).toBeGreaterThan(5 * HOUR);
    expect(rollout.planned!.bakeMs).toBe(8 * HOUR);
    const proposedAt = Number(acts.find((act) => act.startsWith('propose-plan'))!.split(' ')[1]);
    expect(proposedAt - restartedAt).toBe(16 * HOUR + 1.5 * 0.8 * HOUR);
  });

  it('counts the hours that instances were seen on the new path, and not those of the silent', () => {
    const canaries = Array.from({ length: 120 }, (_, n) => n).filter(isCanary);
    const { looks } = run(tell());
    const { look, onInstanceHours } = looks.at(-1)!;
    const expected = (canaries.length * (look.at - ENTERED_AT)) / HOUR;
    expect(onInstanceHours).toBeLessThanOrEqual(expected);
    expect(onInstanceHours).toBeGreaterThan(expected - (canaries.length * 1.2 * SECOND) / HOUR);
    const silent = run(tell({ reports: (n, at) => at < ENTERED_AT + 5 * SECOND || !isCanary(n) })).looks.at(
      -1,
    )!;
    expect(silent.onInstanceHours).toBeLessThan((canaries.length * 5.2 * SECOND) / HOUR);
  });

  describe('signals', () => {
    const few = { size: 8 };
    const policy = judgePolicy.parse({
      bakeMs: 10 * SECOND,
      ladderPpm: [CANARY_PPM, 500_000],
      firstSparseTimeMs: 20 * SECOND,
      holdMaxMs: 5 * SECOND,
    });
    const canaries = Array.from({ length: 8 }, (_, n) => n).filter(isCanary);
    const stable = Array.from({ length: 8 }, (_, n) => n).filter((n) => !isCanary(n));
    const CRASHED_AT = ENTERED_AT + 5 * SECOND;
    /** Who tells of it, in the first report after this time. */
    const tells = (who: number | undefined, since: number, crashedAt?: number) => (n: number, at: number) =>
      n === who && at >= since && at < since + SECOND
        ? { signature: 'null in till', ...(crashedAt !== undefined && { at: crashedAt }) }
        : undefined;
    const objection = (at: number): RaisedSignal => ({
      id: '00000000-0000-7000-8000-000000000009',
      signal: 'objection',
      source: { kind: 'site', name: 'lab' },
      weightPpm: CANARY_PPM,
      why: 'the till stays shut',
      at,
    });
    const told = ({ looks }: { looks: readonly MadeLook[] }) => {
      const seen = looks.map(({ look }) => `${look.decision} ${look.code}`);
      return seen.filter((one, k) => one !== seen[k - 1]);
    };

    it('hold a step of a fleet that is too small to judge, and are looked at when they become known', () => {
      const crash = tells(canaries[0], CRASHED_AT);
      const { looks } = run(tell({ ...few, crash }), { policy });
      const first = looks.find(({ look }) => look.code === 'signal')!;
      expect(first.look).toMatchObject({ decision: 'hold', signals: [{ kind: 'crash' }] });
      expect(first.look.at).toBe(CRASHED_AT + canaries[0]!);
      expect(first.look.reasons.join()).toContain('null in till');
      expect(told(run(tell(few), { policy }))).not.toContain('hold signal');
    });

    it('are none when the pre-period, the baseline, or the time before the step had the same crash', () => {
      const all =
        (...crashes: ReturnType<typeof tells>[]) =>
        (n: number, at: number) =>
          crashes.map((crash) => crash(n, at)).find((found) => found !== undefined);
      const inCanary = tells(canaries[0], CRASHED_AT);
      const known = all(inCanary, tells(stable[0], T0 + 3 * SECOND));
      const shared = all(inCanary, tells(stable[0], CRASHED_AT - 2 * SECOND));
      const before = tells(canaries[0], CRASHED_AT, ENTERED_AT - 1);
      for (const crash of [known, shared, before])
        expect(told(run(tell({ ...few, crash }), { policy }))).not.toContain('hold signal');
      const later = tells(canaries[0], CRASHED_AT, ENTERED_AT);
      expect(told(run(tell({ ...few, crash: later }), { policy }))).toContain('hold signal');
    });

    it('of a second site end it; the look says who said what', () => {
      const crash = tells(canaries[0], CRASHED_AT);
      const signals = [objection(CRASHED_AT + 3 * SECOND)];
      const { looks } = run(tell({ ...few, crash }), { policy, signals });
      const last = looks.find(({ look }) => look.decision === 'roll-back')!;
      expect(last.look).toMatchObject({ code: 'signal', at: CRASHED_AT + 3 * SECOND });
      expect(last.look.signals!.map(({ kind, source }) => [kind, source.name])).toEqual([
        ['crash', 'local'],
        ['objection', 'lab'],
      ]);
      expect(last.script.acts.at(-1)).toMatchObject({ kind: 'look', signals: 1 });
    });

    it('stand beside the numbers of a fleet that reports, and decide nothing', () => {
      const crash = tells(Array.from({ length: 120 }, (_, n) => n).find(isCanary), CRASHED_AT);
      const { looks } = run(tell({ crash }), { signals: [objection(CRASHED_AT)] });
      expect(told({ looks })).not.toContain('roll-back signal');
      const last = looks.at(-1)!.look;
      expect(last).toMatchObject({
        decision: 'promote',
        signals: [{ kind: 'crash' }, { kind: 'objection' }],
      });
      expect(last.reasons.join()).toContain('judged by reports');
    });

    it('repeated and overtaken reports of a crash are one crash', () => {
      const sent = tell({ ...few, crash: tells(canaries[0], CRASHED_AT, ENTERED_AT) });
      const again = sent.flatMap((one) => (one.report.crash ? [one, one, one] : [one]));
      expect(bytes(run(again, { policy }).looks)).toBe(bytes(run(sent, { policy }).looks));
    });
  });
});
