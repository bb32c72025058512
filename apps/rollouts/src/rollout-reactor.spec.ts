import type { EventData, LogEvent } from '@headgate/contracts';
import { judgePolicy } from '@headgate/contracts';
import { type Command, CommandRefused, isRunning, nextRolloutCommand } from '@headgate/domain';
import { type EventStore, openMemoryEventStore } from '@headgate/event-store';
import { idOf } from '@headgate/testing';
import fc from 'fast-check';
import { type ReactorNote, RolloutReactor } from './rollout-reactor.js';

const PROJECT = 'shop';
const FLAG = idOf(1);
const ROLLOUT = idOf(2);
const LADDER = [100_000, 500_000, 1_000_000];
const T0 = 1_780_000_000_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const openStore = async () => {
  let n = 100;
  let now = T0;
  const { store } = await openMemoryEventStore({
    clock: () => now++,
    newId: () => idOf(n++),
    newSalt: () => (n++).toString(16).padStart(32, '0'),
    random: () => 0,
  });
  const newId = (): string => idOf(n++);
  const send = (command: Command) => store.handle(command, { commandId: newId(), actor: 'spec' });
  return { store, send };
};

const definition = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  overridable: 'none',
} as const;

const planned: EventData<'rollout-planned.v1'> = {
  ladderPpm: LADDER,
  bakeMs: 1_000,
  plan: {},
  planDigest: '0'.repeat(64),
  why: 'spec',
};

const verdict = (
  step: number,
  decision: 'promote' | 'roll-back' | 'extend',
): EventData<'rollout-verdict-given.v1'> => ({
  step,
  decision,
  code: decision === 'promote' ? 'judged' : 'worse',
  reasons: [],
  evidence: 1,
  threshold: 20,
  metrics: [],
  instances: { canary: 9, baseline: 9 },
  onInstanceHours: 1,
  look: { at: T0, telemetrySequence: 1, analysisDigest: '0'.repeat(64) },
  why: 'spec',
});

const give = (step: number, decision: 'promote' | 'roll-back' | 'extend'): Command => ({
  type: 'give-verdict',
  project: PROJECT,
  rolloutId: ROLLOUT,
  verdict: verdict(step, decision),
});

const request: Command = {
  type: 'request-rollout',
  project: PROJECT,
  rolloutId: ROLLOUT,
  channel: 'stable',
  flagId: FLAG,
  variant: 'on',
  seed: 'seed',
  policy: judgePolicy.parse({}),
  metrics: [],
  why: 'spec',
};

const prepare = async (send: (command: Command) => Promise<unknown>): Promise<void> => {
  const project = PROJECT;
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
  await send(request);
};

const eventsOf = async (store: EventStore): Promise<LogEvent[]> => {
  const events: LogEvent[] = [];
  for await (const { event } of store.read({ project: PROJECT })) events.push(event);
  return events;
};

/** Nothing is left to do for a reactor. */
const isQuiet = async (store: EventStore): Promise<boolean> => {
  const { state } = await store.project(PROJECT);
  return [...state.rollouts.values()].every(
    (rollout) => nextRolloutCommand(PROJECT, rollout, state.flags.get(rollout.flagId)) === null,
  );
};

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await turn();
};

const reactorOn = (
  store: ConstructorParameters<typeof RolloutReactor>[0]['store'],
  notes: ReactorNote[] = [],
) => {
  const reactor = new RolloutReactor({ store, pause: turn, onNote: (note) => notes.push(note) });
  reactor.start();
  return reactor;
};

const statusOf = async (store: EventStore) =>
  (await store.project(PROJECT)).state.rollouts.get(ROLLOUT)!.status;

describe('the rollouts reactor', () => {
  it('walks a rollout from its plan to its end, one step per verdict', async () => {
    const { store, send } = await openStore();
    const notes: ReactorNote[] = [];
    const reactor = reactorOn(store, notes);
    await prepare(send);
    await send({ type: 'record-plan', project: PROJECT, rolloutId: ROLLOUT, planned });
    for (const step of [0, 1, 2]) {
      await until(async () => {
        const rollout = (await store.project(PROJECT)).state.rollouts.get(ROLLOUT);
        return rollout?.status === 'baking' && rollout.step === step;
      });
      await send(give(step, 'extend'));
      await send(give(step, 'promote'));
    }
    await until(async () => (await statusOf(store)) === 'completed');
    await reactor.close();
    expect(notes.map((note) => (note.kind === 'sent' ? note.command.type : note.kind))).toEqual([
      'begin-rollout',
      'promote-rollout',
      'promote-rollout',
      'promote-rollout',
    ]);
    await store.close();
  });

  it('goes on where the log stands after a restart, in every place', async () => {
    const { store, send } = await openStore();
    const restarted = async (): Promise<void> => {
      const reactor = reactorOn(store);
      await until(async () => reactor.isCaughtUp && (await isQuiet(store)));
      await reactor.close();
    };
    await prepare(send);
    await restarted();
    expect(await statusOf(store)).toBe('pre-period');
    await send({ type: 'record-plan', project: PROJECT, rolloutId: ROLLOUT, planned });
    await restarted();
    await send(give(0, 'promote'));
    await restarted();
    await send(give(1, 'roll-back'));
    await restarted();
    expect(await statusOf(store)).toBe('rolled-back');
    expect((await eventsOf(store)).filter(({ type }) => type === 'rollout-step-entered.v1').length).toBe(2);
    await store.close();
  });

  it('tries again when the log is away, and says so', async () => {
    const { store, send } = await openStore();
    await prepare(send);
    await send({ type: 'record-plan', project: PROJECT, rolloutId: ROLLOUT, planned });
    let failures = 3;
    const notes: ReactorNote[] = [];
    const flaky = {
      follow: store.follow.bind(store),
      project: store.project.bind(store),
      handle: (...given: Parameters<EventStore['handle']>) =>
        failures-- > 0 ? Promise.reject(new Error('away')) : store.handle(...given),
    };
    const reactor = reactorOn(flaky, notes);
    await until(async () => (await statusOf(store)) === 'baking');
    await reactor.close();
    expect(notes.map(({ kind }) => kind)).toEqual(['fault', 'fault', 'fault', 'sent']);
    await store.close();
  });

  it('never promotes past a kill, never twice, and ends every killed rollout, however things interleave', async () => {
    type Act = 'verdict' | 'kill' | 'lift' | 'stale-promote' | 'roll-back';
    const act = fc.constantFrom<Act>(
      'verdict',
      'verdict',
      'verdict',
      'kill',
      'lift',
      'stale-promote',
      'roll-back',
    );
    const tally = { promoted: 0, aborted: 0, refused: 0 };
    const details = await fc.check(
      fc.asyncProperty(
        fc.array(fc.tuple(act, fc.nat({ max: 8 })), { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.nat({ max: 5 })),
        async (acts, delays) => {
          const { store, send } = await openStore();
          await prepare(send);
          await send({ type: 'record-plan', project: PROJECT, rolloutId: ROLLOUT, planned });
          const late = async (): Promise<void> => {
            for (let left = delays.next().value ?? 0; left > 0; left--) await turn();
          };
          // Between what a reactor has read and what it sends, anything may happen.
          const slow = {
            follow: store.follow.bind(store),
            project: store.project.bind(store),
            handle: async (...given: Parameters<EventStore['handle']>) => {
              await late();
              return store.handle(...given);
            },
          };
          const reactors = [reactorOn(slow), reactorOn(slow)];
          const attempt = (command: Command): Promise<unknown> =>
            send(command).catch((cause: unknown) => {
              if (!(cause instanceof CommandRefused)) throw cause;
              tally.refused += 1;
            });
          const perform = async (what: Act): Promise<unknown> => {
            const rollout = (await store.project(PROJECT)).state.rollouts.get(ROLLOUT)!;
            const step = rollout.status === 'baking' ? rollout.step : 0;
            const last = rollout.verdicts.at(-1);
            await late();
            switch (what) {
              case 'verdict':
                return attempt(give(step, 'promote'));
              case 'roll-back':
                return attempt(give(step, 'roll-back'));
              case 'kill':
                return attempt({ type: 'kill-flag', project: PROJECT, flagId: FLAG, why: 'spec' });
              case 'lift':
                return attempt({ type: 'lift-kill', project: PROJECT, flagId: FLAG, why: 'spec' });
              case 'stale-promote':
                if (!last) return;
                return attempt({
                  type: 'promote-rollout',
                  project: PROJECT,
                  rolloutId: ROLLOUT,
                  verdictId: last.id,
                  why: 'spec',
                });
            }
          };
          const performed = acts.map(async ([what, turns]) => {
            for (let left = turns; left > 0; left--) await turn();
            await perform(what);
          });
          await Promise.all(performed);
          await until(() => isQuiet(store));
          await Promise.all(reactors.map((reactor) => reactor.close()));
          const events = await eventsOf(store);
          tally.promoted += events.filter((event) => event.type === 'rollout-step-entered.v1').length;
          tally.aborted += events.filter((event) => event.type === 'rollout-aborted.v1').length;
          expectLawful(events);
          const { state } = await store.project(PROJECT);
          if (state.flags.get(FLAG)?.status === 'killed')
            expect(isRunning(state.rollouts.get(ROLLOUT)!)).toBe(false);
          await store.close();
        },
      ),
      { numRuns: 150 },
    );
    process.stdout.write(
      `kill against promote: ${details.numRuns} runs, seed ${details.seed}, ${JSON.stringify(tally)}\n`,
    );
    expect(details.failed ? fc.defaultReportMessage(details) : null).toBeNull();
    // All of it must have happened, or the property says nothing.
    expect(Math.min(tally.promoted, tally.aborted, tally.refused)).toBeGreaterThan(20);
  }, 60_000);
});

/** Reads the log alone: no weight moves under a kill, each step is entered once, and by a promote of the step before. */
const expectLawful = (events: readonly LogEvent[]): void => {
  let isKilled = false;
  let entered = -1;
  const verdicts = new Map<string, EventData<'rollout-verdict-given.v1'>>();
  for (const event of events) {
    if (event.type === 'flag-killed.v1') isKilled = true;
    if (event.type === 'flag-kill-lifted.v1') isKilled = false;
    if (event.type === 'rollout-verdict-given.v1') verdicts.set(event.id, event.data);
    if (event.type !== 'rollout-step-entered.v1' && event.type !== 'rollout-completed.v1') continue;
    expect({ type: event.type, isKilled }).toEqual({ type: event.type, isKilled: false });
    const { verdictId } = event.data;
    if (entered >= 0) expect(verdicts.get(verdictId!)).toMatchObject({ decision: 'promote', step: entered });
    if (event.type === 'rollout-step-entered.v1') {
      expect(event.data.step).toBe(entered + 1);
      entered = event.data.step;
    }
  }
};
