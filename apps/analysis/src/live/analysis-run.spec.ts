import { createHash } from 'node:crypto';
import {
  type JudgePolicy,
  judgePolicy,
  type MetricDefinition,
  STREAMS,
  telemetrySubject,
} from '@headgate/contracts';
import { type Command, isRunning, nextRolloutCommand, type Rollout } from '@headgate/domain';
import { bucket } from '@headgate/evaluation';
import { type EventStore, openMemoryEventStore } from '@headgate/event-store';
import type { MemoryStreams } from '@headgate/streams';
import { idOf } from '@headgate/testing';
import fc from 'fast-check';
import { openMemoryArchive } from '../verdict/analysis-archive.js';
import type { AnalysisNote } from './analysis-note.js';
import { AnalysisRun } from './analysis-run.js';

const PROJECT = 'shop';
const FLAG = idOf(1);
const ROLLOUT = idOf(2);
const T0 = 1_780_000_000_000;
const SECOND = 1_000;
const SIZE = 60;
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
const POLICY = judgePolicy.parse({ bakeMs: 10 * SECOND, ladderPpm: [250_000, 500_000] });

interface World {
  readonly store: EventStore;
  readonly streams: MemoryStreams;
  readonly now: () => number;
  /** One second of the fleet's life: everybody reports, then the reactor does what follows from the log. */
  readonly pass: (runs: readonly AnalysisRun[]) => Promise<void>;
  readonly run: (store?: Partial<EventStore>) => AnalysisRun;
  readonly notes: AnalysisNote[];
  readonly rollout: () => Promise<Rollout>;
}

const digest = (kind: string, text: string): string => createHash(kind).update(text).digest('hex');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A site in memory under a clock that moves by the second. `fails` says how many of 20 requests fail. */
const openWorld = async ({
  policy = POLICY,
  metrics = METRICS,
  fails = (n: number, second: number) => ((n + second) % 10 === 0 ? 1 : 0),
  size = SIZE,
  crash,
}: {
  readonly policy?: JudgePolicy;
  readonly metrics?: readonly MetricDefinition[];
  readonly fails?: (n: number, second: number, weightPpm: number) => number;
  readonly size?: number;
  /** Signature that this instance tells of in this second. */
  readonly crash?: (isOn: boolean, second: number) => string | undefined;
} = {}): Promise<World> => {
  let now = T0;
  let ids = 100;
  const newId = (): string => idOf(ids++);
  const clock = (): number => now;
  const { store, streams } = await openMemoryEventStore({
    clock,
    newId,
    newSalt: () => (ids++).toString(16).padStart(32, '0'),
    random: () => 0,
  });
  const send = (command: Command) => store.handle(command, { commandId: newId(), actor: 'spec' });
  const project = PROJECT;
  const definition = {
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    overridable: 'none',
  } as const;
  await send({ type: 'create-project', project, projectId: idOf(3), name: 'Shop', why: 'spec' });
  await send({
    type: 'create-channel',
    project,
    channelId: idOf(4),
    slug: 'stable',
    beatLifetimeMs: 9_000,
    why: 'spec',
  });
  await send({
    type: 'create-flag',
    project,
    flagId: FLAG,
    channel: 'stable',
    key: 'path',
    definition,
    why: 'spec',
  });
  await send({
    type: 'request-rollout',
    project,
    rolloutId: ROLLOUT,
    channel: 'stable',
    flagId: FLAG,
    variant: 'on',
    seed: 'seed',
    policy,
    metrics: [...metrics],
    why: 'spec',
  });
  const rollout = async (): Promise<Rollout> => (await store.project(project)).state.rollouts.get(ROLLOUT)!;
  const failed = new Array<number>(SIZE).fill(0);
  let second = 0;
  let published = 0;
  const archive = openMemoryArchive();
  const notes: AnalysisNote[] = [];
  const pass = async (runs: readonly AnalysisRun[]): Promise<void> => {
    second += 1;
    const receivedAt = T0 + second * SECOND;
    // The end of this second: all that falls into it is worked through at once, whoever is quicker.
    now = receivedAt + 999;
    const state = await rollout();
    const weightPpm = state.status === 'baking' ? state.weightPpm : 0;
    const reports = Array.from({ length: size }, (_, n) => {
      const isOn = bucket('seed', digest('sha256', `${n}`)) < weightPpm;
      failed[n]! += fails(n, second, isOn ? 1 : 0);
      const signature = crash?.(isOn, second);
      return {
        channel: 'stable',
        instance: digest('sha256', `${n}`),
        bootId: digest('md5', `${n}`),
        seq: second,
        metrics: { counters: { requests: 20 * second, failed: failed[n] } },
        ...(signature !== undefined && { crash: { signature } }),
      };
    });
    const pack = Buffer.from(
      JSON.stringify({ schema: 'headgate.telemetry-received.v1', receivedAt, reports }),
    );
    ({ sequence: published } = await streams.publish(telemetrySubject(project), pack, {
      expectStream: STREAMS.telemetry,
    }));
    while (runs.some((run) => run.workedThrough < published || !run.isIdle)) await turn();
    const { state: after } = await store.project(project);
    const flag = after.flags.get(FLAG);
    const command = nextRolloutCommand(project, after.rollouts.get(ROLLOUT)!, flag);
    if (command) await send(command);
  };
  const run = (changed: Partial<EventStore> = {}): AnalysisRun => {
    const analysis = new AnalysisRun({
      store: {
        follow: store.follow.bind(store),
        project: store.project.bind(store),
        handle: store.handle.bind(store),
        ...changed,
      },
      streams,
      archive,
      now: clock,
      settleMs: 0,
      pause: turn,
      onNote: (note) => notes.push(note),
    });
    analysis.start();
    return analysis;
  };
  return { store, streams, now: clock, pass, run, notes, rollout };
};

const passUntilEnd = async (
  world: World,
  runs: () => readonly AnalysisRun[],
  most = 120,
): Promise<Rollout> => {
  for (let seconds = 0; seconds < most; seconds++) {
    const rollout = await world.rollout();
    if (!isRunning(rollout)) return rollout;
    await world.pass(runs());
  }
  throw new Error(
    `the rollout did not end in ${most} s: ${JSON.stringify((await world.rollout()).verdicts)}`,
  );
};

const told = ({ verdicts }: Rollout): unknown[] =>
  verdicts.map(({ step, decision, code, look }) => ({ step, decision, code, ...look }));

describe('live analysis', () => {
  it('takes a rollout from its request to its end and says each thing once', async () => {
    const world = await openWorld();
    const run = world.run();
    const rollout = await passUntilEnd(world, () => [run]);
    await run.close();
    expect(rollout.status).toBe('completed');
    expect(rollout.verdicts.map(({ step, decision, code }) => [step, decision, code])).toEqual([
      [0, 'wait', 'baking'],
      [0, 'promote', 'judged'],
      [1, 'wait', 'baking'],
      [1, 'promote', 'judged'],
    ]);
    expect(world.notes.filter(({ kind }) => kind === 'refused' || kind === 'fault')).toEqual([]);
  });

  it('rolls back what is worse', async () => {
    const world = await openWorld({
      fails: (n, second, isOn) => (isOn ? 8 : (n + second) % 10 === 0 ? 1 : 0),
    });
    const run = world.run();
    const rollout = await passUntilEnd(world, () => [run]);
    await run.close();
    expect(rollout).toMatchObject({ status: 'rolled-back', endReason: expect.stringMatching(/^worse/) });
  });

  it('says the same, at the same looks, to the same bytes, however often and wherever it is restarted', async () => {
    const whole = await openWorld();
    const undisturbed = whole.run();
    const expected = told(await passUntilEnd(whole, () => [undisturbed]));
    await undisturbed.close();
    const details = await fc.check(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat({ max: 50 }), { minLength: 1, maxLength: 4 }),
        async (restarts) => {
          const world = await openWorld();
          let run = world.run();
          let second = 0;
          for (let rollout = await world.rollout(); isRunning(rollout); rollout = await world.rollout()) {
            if (restarts.includes(second++)) {
              await run.close();
              run = world.run();
            }
            await world.pass([run]);
          }
          await run.close();
          expect(told(await world.rollout())).toEqual(expected);
        },
      ),
      { numRuns: 12 },
    );
    process.stdout.write(`restarted analysis: ${details.numRuns} runs, seed ${details.seed}\n`);
    expect(details.failed ? fc.defaultReportMessage(details) : null).toBeNull();
  }, 60_000);

  it('weighs signals the same, at the same looks, to the same bytes, wherever it is restarted', async () => {
    const few = {
      size: 8,
      policy: judgePolicy.parse({
        bakeMs: 10 * SECOND,
        ladderPpm: [500_000, 900_000],
        firstSparseTimeMs: 20 * SECOND,
        sparseTimeMs: 20 * SECOND,
      }),
      // In the first step, and in the second: one site each time, which holds and does not end it.
      crash: (isOn: boolean, second: number) =>
        isOn && (second === 30 || second === 75) ? `at ${second}` : undefined,
    };
    const whole = await openWorld(few);
    const undisturbed = whole.run();
    const ended = await passUntilEnd(whole, () => [undisturbed]);
    await undisturbed.close();
    const expected = told(ended);
    expect(ended.verdicts.map(({ step, decision, code }) => `${step} ${decision} ${code}`)).toEqual([
      '0 wait baking',
      '0 hold signal',
      '0 promote unjudged:no-reports',
      '1 wait baking',
      '1 hold signal',
      '1 promote unjudged:no-reports',
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat({ max: 110 }), { minLength: 1, maxLength: 4 }),
        async (restarts) => {
          const world = await openWorld(few);
          let run = world.run();
          let second = 0;
          for (let rollout = await world.rollout(); isRunning(rollout); rollout = await world.rollout()) {
            if (restarts.includes(second++)) {
              await run.close();
              run = world.run();
            }
            await world.pass([run]);
          }
          await run.close();
          expect(told(await world.rollout())).toEqual(expected);
        },
      ),
      { numRuns: 6 },
    );
  }, 60_000);

  it('looks when a signal is raised, not when the next look is due', async () => {
    const world = await openWorld({
      size: 8,
      policy: judgePolicy.parse({ bakeMs: 10 * SECOND, ladderPpm: [100_000, 900_000], lookEveryMs: 600_000 }),
    });
    const run = world.run();
    for (let rollout = await world.rollout(); rollout.status !== 'baking'; rollout = await world.rollout())
      await world.pass([run]);
    await world.pass([run]);
    const raisedAt = world.now();
    await world.store.handle(
      {
        type: 'raise-signal',
        project: PROJECT,
        rolloutId: ROLLOUT,
        signal: 'objection',
        source: { kind: 'site', name: 'lab' },
        why: 'the till stays shut',
      },
      { commandId: idOf(9_998), actor: 'spec' },
    );
    while (!(await world.rollout()).verdicts.some(({ code }) => code === 'signal')) await turn();
    await run.close();
    const { verdicts } = await world.rollout();
    expect(verdicts.at(-1)).toMatchObject({
      decision: 'roll-back',
      look: { at: raisedAt },
      signals: [{ kind: 'objection', detail: 'the till stays shut' }],
    });
  });

  it('says nothing twice when two of them work', async () => {
    const world = await openWorld();
    const runs = [world.run(), world.run()];
    const rollout = await passUntilEnd(world, () => runs);
    await Promise.all(runs.map((run) => run.close()));
    expect(rollout.status).toBe('completed');
    expect(rollout.verdicts.length).toBe(4);
    // The second one did speak; the log had it already.
    expect(
      world.notes.some((note) => note.kind === 'refused' || (note.kind === 'sent' && note.repeated)),
    ).toBe(true);
  });

  it('waits for a log that is away and then says what it had to say', async () => {
    const world = await openWorld();
    let failures = 0;
    const handle: EventStore['handle'] = (command, meta) => {
      failures += 1;
      return failures % 3 === 0 ? world.store.handle(command, meta) : Promise.reject(new Error('away'));
    };
    const run = world.run({ handle });
    const rollout = await passUntilEnd(world, () => [run]);
    await run.close();
    expect(rollout.verdicts.length).toBe(4);
    expect(world.notes.filter(({ kind }) => kind === 'fault').length).toBe(10);
  });

  it('ends a rollout whose policy demands what the plan cannot show', async () => {
    const world = await openWorld({ metrics: [{ ...METRICS[0]!, margin: -0.01 }] });
    const run = world.run();
    const rollout = await passUntilEnd(world, () => [run]);
    await run.close();
    expect(rollout).toMatchObject({ status: 'aborted', endReason: expect.stringContaining('must improve') });
  });

  it('lets go of a rollout that was killed', async () => {
    const world = await openWorld();
    const run = world.run();
    for (let seconds = 0; seconds < 30; seconds++) await world.pass([run]);
    expect(run.rollouts).toBe(1);
    const meta = { commandId: idOf(9_999), actor: 'spec' };
    await world.store.handle({ type: 'kill-flag', project: PROJECT, flagId: FLAG, why: 'spec' }, meta);
    const rollout = await passUntilEnd(world, () => [run]);
    await world.pass([run]);
    expect(rollout.status).toBe('aborted');
    expect([run.rollouts, run.rows]).toEqual([0, 0]);
    await run.close();
  });
});
