import { randomBytes } from 'node:crypto';
import { type EventData, judgePolicy, STREAMS } from '@headgate/contracts';
import type { Command } from '@headgate/domain';
import { type EventStore, openEventStore } from '@headgate/event-store';
import { type ReactorNote, RolloutReactor } from '@headgate/rollouts';
import { uuidV7Source } from '@headgate/service-kit';
import type { PublishOptions, Streams } from '@headgate/streams';
import { openTelemetrySite, type TelemetrySite } from '../support/telemetry-site.js';

const newId = uuidV7Source(Date.now);
const LADDER = [100_000, 500_000, 1_000_000];

let site: TelemetrySite;
beforeAll(async () => {
  site = await openTelemetrySite();
}, 60_000);
afterAll(() => site?.close(), 30_000);

const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** A rollout at its first step, with its verdict to promote, and nobody who acts on it. */
const prepare = async (project: string): Promise<{ rolloutId: string; verdictId: string }> => {
  const [flagId, rolloutId] = [newId(), newId()];
  const send = (command: Command) => site.store.handle(command, { commandId: newId(), actor: 'spec' });
  const of = { project, rolloutId };
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
  const verdict: EventData<'rollout-verdict-given.v1'> = {
    step: 0,
    decision: 'promote',
    code: 'judged',
    reasons: [],
    evidence: 1,
    threshold: 20,
    metrics: [],
    instances: { canary: 9, baseline: 9 },
    onInstanceHours: 1,
    look: { at: Date.now(), telemetrySequence: 1, analysisDigest: '0'.repeat(64) },
    why: 'spec',
  };
  await send({ type: 'create-project', project, projectId: newId(), name: project, why: 'spec' });
  await send({
    type: 'create-channel',
    project,
    channelId: newId(),
    slug: 'stable',
    beatLifetimeMs: 9_000,
    why: 'spec',
  });
  await send({
    type: 'create-flag',
    project,
    flagId,
    channel: 'stable',
    key: 'path',
    definition,
    why: 'spec',
  });
  await send({
    type: 'request-rollout',
    ...of,
    channel: 'stable',
    flagId,
    variant: 'on',
    seed: 'seed',
    policy: judgePolicy.parse({}),
    metrics: [],
    why: 'spec',
  });
  await send({ type: 'record-plan', ...of, planned });
  await send({ type: 'begin-rollout', ...of, why: 'spec' });
  const { id } = await send({ type: 'give-verdict', ...of, verdict });
  return { rolloutId, verdictId: id };
};

interface Held {
  readonly streams: Streams;
  /** Whether an append waits, decided and not sent. */
  readonly isHolding: () => boolean;
  /** Lets it go, as a packet that was on its way when its sender died. */
  readonly letGo: () => Promise<'stored' | 'refused'>;
}

/** Streams whose next append to the log stops between the decision and the wire. */
const holdAppend = (streams: Streams, dropGuard: boolean): Held => {
  let held: (() => Promise<unknown>) | null = null;
  const publish = (subject: string, data: Uint8Array, options: PublishOptions) => {
    if (held || options.expectStream !== STREAMS.log) return streams.publish(subject, data, options);
    const { expectLastSequence: _l, expectFilter: _f, msgId: _m, ...unguarded } = options;
    held = () => streams.publish(subject, data, dropGuard ? unguarded : options);
    // The process is gone: nobody will ever hear how it ended.
    return new Promise<never>(() => {});
  };
  const proxy = new Proxy(streams, {
    get: (target, name) => {
      if (name === 'publish') return publish;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    streams: proxy,
    isHolding: () => held !== null,
    letGo: () =>
      held!().then(
        () => 'stored',
        () => 'refused',
      ),
  };
};

const openStore = (streams: Streams): Promise<EventStore> =>
  openEventStore({ streams, clock: Date.now, newId, newSalt: () => randomBytes(16).toString('hex') });

const reactorOn = (store: EventStore, notes: ReactorNote[] = []): RolloutReactor => {
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  const reactor = new RolloutReactor({ store, pause, onNote: (note) => notes.push(note) });
  reactor.start();
  return reactor;
};

/** Read from the stream itself, past every check that a reader would make. */
const entered = async (rolloutId: string): Promise<number[]> => {
  const streams = await site.connect('projector');
  const steps: number[] = [];
  for await (const { data } of streams.readRange(STREAMS.log, { from: 1 })) {
    const event = JSON.parse(Buffer.from(data).toString()) as {
      type: string;
      aggregateId: string;
      data: { step: number };
    };
    if (event.type === 'rollout-step-entered.v1' && event.aggregateId === rolloutId)
      steps.push(event.data.step);
  }
  return steps;
};

/** One reactor dies between decide and append, the other acts, then the dead one's append arrives after all. */
const dieBetweenDecideAndAppend = async (project: string, dropGuard: boolean) => {
  const { rolloutId } = await prepare(project);
  const held = holdAppend(await site.connect('rollouts'), dropGuard);
  const dead = reactorOn(await openStore(held.streams));
  await until(held.isHolding);
  const notes: ReactorNote[] = [];
  const store = await openStore(await site.connect('rollouts'));
  const survivor = reactorOn(store, notes);
  await until(() => notes.some((note) => note.kind === 'sent' && note.command.type === 'promote-rollout'));
  await survivor.close();
  const fate = await held.letGo();
  // Its command is never answered, so it never finishes closing; but it stops following.
  void dead.close();
  return { fate, steps: await entered(rolloutId), survivor: notes.map(({ kind }) => kind) };
};

describe('two reactors on one nats-server', () => {
  it('promote a step once when one of them dies between decide and append', async () => {
    expect(await dieBetweenDecideAndAppend('guarded', false)).toEqual({
      fate: 'refused',
      steps: [0, 1],
      survivor: ['sent'],
    });
  }, 60_000);

  it('promote once when both are alive and quick', async () => {
    const { rolloutId } = await prepare('both');
    const notes: ReactorNote[] = [];
    const stores = await Promise.all([1, 2].map(async () => openStore(await site.connect('rollouts'))));
    const reactors = stores.map((store) => reactorOn(store, notes));
    await until(
      () => notes.filter((note) => note.kind === 'sent' && note.command.project === 'both').length > 0,
    );
    await until(async () => {
      const { state } = await site.store.project('both');
      const rollout = state.rollouts.get(rolloutId)!;
      return rollout.status === 'baking' && rollout.step === 1;
    });
    await Promise.all(reactors.map((reactor) => reactor.close()));
    await Promise.all(stores.map((store) => store.close()));
    expect(await entered(rolloutId)).toEqual([0, 1]);
  }, 60_000);

  it('would promote twice without the expected sequence (control)', async () => {
    expect(await dieBetweenDecideAndAppend('unguarded', true)).toEqual({
      fate: 'stored',
      steps: [0, 1, 1],
      survivor: ['sent'],
    });
  }, 60_000);
});
