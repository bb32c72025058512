import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judgePolicy, type LogPosition, STREAMS } from '@headgate/contracts';
import { serializeProject } from '@headgate/domain';
import {
  connectStreams,
  declareInstallation,
  type MemoryStreams,
  openMemoryStreams,
  type StoredMessage,
  type Streams,
} from '@headgate/streams';
import { type EventDraft, sealEvent } from '@headgate/trust';
import { type SpecServer, startSpecServer } from '../../../test/support/nats-server.js';
import { sampleCommands } from '../../../test/support/sample-commands.js';
import { EventUnreadable, LogBehind, LogForked, LogUnavailable, WritesRefused } from './errors.js';
import type { EventStore, FollowCheckpoint, StoredEvent } from './event-store.js';
import { flagsHeadReader } from './flags-head.js';
import { keepFollowing } from './keep-following.js';
import { type EventStoreOptions, openEventStore } from './open-event-store.js';

const NOW = 1_780_000_000_000;

/** Makes a second event of the project, well-formed but for what is changed. */
type Seal = (change: Partial<EventDraft>) => object;

describe.each(['in memory', 'on nats-server'])('an event store %s', (where) => {
  let server: SpecServer | null = null;
  let streams: Streams;
  let directory: string;
  let now = NOW;
  let ids = 0;
  const warnings: string[] = [];
  const open: EventStore[] = [];
  const { createProject, createChannel, createFlag, killFlag, commandId, uuid } = sampleCommands();

  const openStore = async (more: Partial<EventStoreOptions> = {}): Promise<EventStore> => {
    const store = await openEventStore({
      streams,
      clock: () => now,
      newId: () => uuid(1_000_000 + ++ids),
      newSalt: () => randomBytes(16).toString('hex'),
      random: () => 0.5,
      snapshotDir: directory,
      patienceMs: 2_000,
      warn: (message) => warnings.push(message),
      ...more,
    });
    open.push(store);
    return store;
  };
  const meta = (id = commandId()) => ({ commandId: id, actor: 'spec' });

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'hg-store-'));
    now = NOW;
    warnings.length = 0;
    if (where === 'in memory') streams = openMemoryStreams({ now: () => now });
    else {
      server = await startSpecServer();
      streams = await connectStreams({ url: server.url, name: 'spec' });
    }
    await declareInstallation(streams, { now: NOW });
  });
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close();
    await streams.close();
    await server?.remove();
    rmSync(directory, { recursive: true });
  });

  it('appends one sealed event per command, and knows it at once', async () => {
    const store = await openStore();
    const first = await store.handle(createProject('shop'), meta());
    const second = await store.handle(createChannel('shop', 'stable'), meta());
    expect([first.position, second.position, first.epoch, first.repeated]).toEqual([1, 2, 1, false]);
    const { state, head } = await store.project('shop');
    expect(head).toEqual({ epoch: 1, position: 2, hash: second.hash });
    expect([...state.channels.keys()]).toEqual(['stable']);
    const events = await all(store.read());
    expect(events.map(({ event }) => event.type)).toEqual(['project-created.v1', 'channel-created.v1']);
    expect(events[1]?.event.prevHash).toBe(first.hash);
  });

  it('refuses what the decider refuses, and writes nothing', async () => {
    const store = await openStore();
    await expect(store.handle(createChannel('shop', 'stable'), meta())).rejects.toMatchObject({
      code: 'project-unknown',
    });
    await store.handle(createProject('shop'), meta());
    await expect(store.handle(createProject('shop'), meta())).rejects.toMatchObject({
      code: 'already-exists',
    });
    expect(await all(store.read())).toHaveLength(1);
  });

  it('refuses an event larger than the log takes, and goes on behind it', async () => {
    const store = await openStore();
    await store.handle(createProject('shop'), meta());
    await store.handle(createChannel('shop', 'stable'), meta());
    const { id: flagId } = await store.handle(createFlag('shop', 'stable', 'path'), meta());
    const rolloutId = uuid(500_000);
    const of = { project: 'shop', rolloutId, why: 'spec' };
    const policy = judgePolicy.parse({});
    await store.handle(
      {
        ...of,
        type: 'request-rollout',
        seed: 's',
        channel: 'stable',
        flagId,
        variant: 'on',
        policy,
        metrics: [],
      },
      meta(),
    );
    const plan = { notes: 'x'.repeat(300_000) };
    const planned = { ladderPpm: [1_000_000], bakeMs: 1_000, plan, planDigest: 'a'.repeat(64), why: 'spec' };
    await expect(
      store.handle({ type: 'record-plan', project: 'shop', rolloutId, planned }, meta()),
    ).rejects.toMatchObject({ code: 'body-too-large' });
    expect((await store.handle(createChannel('shop', 'beta'), meta())).position).toBe(5);
  });

  it('refuses names, ids and actors that would not be readable, before they reach a subject', async () => {
    const store = await openStore();
    await expect(store.project('a.>')).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(store.handle(createProject('../x'), meta())).rejects.toMatchObject({
      code: 'invalid-input',
    });
    await expect(store.handle(createProject('shop'), meta('not-a-uuid'))).rejects.toMatchObject({
      code: 'invalid-input',
    });
    await expect(store.handle(createProject('shop'), { ...meta(), actor: '' })).rejects.toMatchObject({
      code: 'invalid-input',
    });
    expect(await all(store.read())).toEqual([]);
  });

  it('gives a repeated command its first answer, also across a restart, and refuses its id to another', async () => {
    const store = await openStore();
    const id = commandId();
    const first = await store.handle(createProject('shop'), meta(id));
    await store.handle(createChannel('shop', 'stable'), meta());
    expect(await store.handle(createProject('shop'), meta(id))).toEqual({ ...first, repeated: true });
    await store.close();
    const later = await openStore();
    now += 86_000_000;
    expect(await later.handle(createProject('shop'), meta(id))).toEqual({ ...first, repeated: true });
    await expect(later.handle(createChannel('shop', 'beta'), meta(id))).rejects.toMatchObject({
      code: 'command-id-reused',
    });
    expect(await all(later.read())).toHaveLength(2);
  });

  it('decides anew on what another process wrote, without losing or doubling anything', async () => {
    const stores = [await openStore(), await openStore(), await openStore()];
    await stores[0]?.handle(createProject('shop'), meta());
    const answers = await Promise.all(
      stores.flatMap((store, index) =>
        Array.from({ length: 20 }, (_, n) => store.handle(createChannel('shop', `c${index}-${n}`), meta())),
      ),
    );
    expect(answers.map(({ position }) => position).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, n) => n + 2),
    );
    const { state } = (await stores[2]?.project('shop')) ?? {};
    expect(state?.channels.size).toBe(60);
  });

  it('sees what another process wrote before it refuses, and when it is asked', async () => {
    const [one, other] = [await openStore(), await openStore()];
    expect((await other.project('shop')).head).toBeNull();
    await one.handle(createProject('shop'), meta());
    expect((await other.project('shop')).head?.position).toBe(1);
    await one.handle(createChannel('shop', 'stable'), meta());
    await other.handle(createFlag('shop', 'stable', 'new-path'), meta());
    await expect(one.handle(createFlag('shop', 'stable', 'new-path'), meta())).rejects.toMatchObject({
      code: 'already-exists',
    });
  });

  it('gives one of two simultaneous sends of a command the answer of the other', async () => {
    const [one, other] = [await openStore(), await openStore()];
    const id = commandId();
    const answers = await Promise.all([
      one.handle(createProject('shop'), meta(id)),
      other.handle(createProject('shop'), meta(id)),
      one.handle(createProject('shop'), meta(id)),
    ]);
    expect(new Set(answers.map(({ hash }) => hash)).size).toBe(1);
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
  });

  it('lets a kill overtake what waits', async () => {
    const store = await openStore();
    await store.handle(createProject('shop'), meta());
    await store.handle(createChannel('shop', 'stable'), meta());
    const flag = await store.handle(createFlag('shop', 'stable', 'path'), meta());
    const waiting = Array.from({ length: 50 }, (_, n) =>
      store.handle(createChannel('shop', `w${n}`), meta()),
    );
    const kill = await store.handle(killFlag('shop', flag.id), meta());
    await Promise.all(waiting);
    // Behind the one append that was under way, before the other 49.
    expect(kill.position).toBeLessThanOrEqual(5);
  });

  it('follows every project in order from a checkpoint', async () => {
    const store = await openStore();
    await store.handle(createProject('shop'), meta());
    await store.handle(createProject('cafe'), meta());
    const follower = store.follow({ from: null });
    const seen: string[] = [];
    for await (const { event } of follower) {
      seen.push(`${event.project} ${event.position}`);
      if (seen.length === 2) break;
    }
    const checkpoint = JSON.parse(JSON.stringify(follower.checkpoint()));
    await store.handle(createChannel('cafe', 'stable'), meta());
    await store.handle(createChannel('shop', 'stable'), meta());
    const later = store.follow({ from: checkpoint });
    for await (const { event } of later) {
      seen.push(`${event.project} ${event.position}`);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual(['shop 1', 'cafe 1', 'cafe 2', 'shop 2']);
    expect(later.checkpoint().heads.shop?.position).toBe(2);
  });

  it.each([
    ['bad JSON', () => 'nonsense', 'not JSON', null],
    ['bytes that are no text', () => Buffer.from([0xff, 0xfe, 0x7b]), 'not JSON', null],
    ['a type of the future', (seal: Seal) => seal({ type: 'flag-painted.v1' }), 'does not know the type', 2],
    [
      'data of another type',
      (seal: Seal) => seal({ data: { slug: 'No Slug' } }),
      'not a channel-created.v1',
      2,
    ],
    ['another subject', (seal: Seal) => seal({ aggregateId: 'elsewhere' }), 'does not belong', 2],
    ['a changed envelope', (seal: Seal) => ({ ...seal({}), actor: 'mallory' }), 'hash', 2],
    ['changed data', (seal: Seal) => ({ ...seal({}), data: { why: 'x' } }), 'dataHash', 2],
    ['another position', (seal: Seal) => ({ ...seal({}), position: 7 }), 'position is 7', 7],
  ])('stops loudly on %s, naming where', async (_name, make, why, position) => {
    const store = await openStore();
    await store.handle(createProject('shop'), meta());
    const { head } = await store.project('shop');
    const made = make((change) => sealEvent({ ...channelCreated, ...change }, head, 1));
    const bytes = made instanceof Buffer ? made : Buffer.from(text(made));
    await streams.publish('hg.log.shop.channel.c', bytes, { expectStream: STREAMS.log });
    const sequence = (await streams.info(STREAMS.log))?.lastSequence;
    const error = await all(store.read()).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(EventUnreadable);
    expect(error).toMatchObject({ streamSequence: sequence, project: 'shop', position });
    expect((error as Error).message).toMatch(why);
    const taken: number[] = [];
    await expect(
      (async () => {
        for await (const { event } of store.follow({ from: null })) taken.push(event.position);
      })(),
    ).rejects.toThrow(EventUnreadable);
    expect(taken).toEqual([1]);
    await expect(store.handle(createChannel('shop', 'stable'), meta())).rejects.toThrow(EventUnreadable);
  });

  const channelCreated: EventDraft = {
    id: uuid(77),
    commandId: uuid(78),
    commandDigest: 'a'.repeat(64),
    type: 'channel-created.v1',
    project: 'shop',
    kind: 'channel',
    aggregateId: 'c',
    at: NOW,
    actor: 'spec',
    causationId: '',
    correlationId: '',
    salt: '0'.repeat(32),
    data: { slug: 'stable', beatLifetimeMs: 1_000, why: 'spec' },
  };

  describe('and its witnesses', () => {
    it('refuses to write behind the archive, until the log has it again', async () => {
      let archived: LogPosition | null = { epoch: 1, position: 9, hash: 'b'.repeat(64) };
      const store = await openStore({ guards: { archiveHead: async () => archived } });
      const refused = await store.handle(createProject('shop'), meta()).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(WritesRefused);
      expect((refused as Error).message).toMatch('ends at nothing, but its archive held epoch 1, position 9');
      archived = null;
      await store.handle(createProject('shop'), meta());
      const again = await openStore({
        guards: { archiveHead: async () => ({ epoch: 1, position: 1, hash: 'b'.repeat(64) }) },
      });
      await expect(again.handle(createChannel('shop', 'a'), meta())).rejects.toThrow(WritesRefused);
    });

    it('refuses to write behind the newest commit in FLAGS', async () => {
      await publishCommit(12);
      const store = await openStore({ guards: { flagsHead: flagsHeadReader(streams) } });
      await expect(store.handle(createProject('shop'), meta())).rejects.toThrow(
        'FLAGS held epoch 1, position 12',
      );
      expect((await store.handle(createProject('shop'), { ...meta(), epoch: 2 })).epoch).toBe(2);
    });

    it('is not misled by what is written while it asks', async () => {
      const other = await openStore();
      await other.handle(createProject('shop'), meta());
      const store = await openStore({
        guards: {
          // Another process writes, and its event is archived, between our look at the log and the archive's answer.
          archiveHead: async () => {
            const { epoch, position, hash } = await other.handle(createChannel('shop', 'meanwhile'), meta());
            return { epoch, position, hash };
          },
        },
      });
      expect((await store.handle(createChannel('shop', 'ours'), meta())).position).toBe(3);
    });

    it('writes nothing while a witness cannot be asked', async () => {
      const store = await openStore({
        patienceMs: 100,
        guards: {
          archiveHead: async () => {
            throw new Error('no route');
          },
        },
      });
      await expect(store.handle(createProject('shop'), meta())).rejects.toThrow(LogUnavailable);
      expect(await all(store.read())).toEqual([]);
    });

    const publishCommit = (position: number) =>
      streams.publish(
        'hg.flags.shop.stable.c.1',
        Buffer.from(
          JSON.stringify({
            schema: 'headgate.commit.v1',
            head: {
              h: {
                project: 'shop',
                channel: 'stable',
                epoch: 1,
                n: 1,
                position,
                prevHead: '0'.repeat(64),
                setDigest: '0'.repeat(64),
                documentCount: 0,
                changesDigest: '0'.repeat(64),
              },
              sig: { keyId: '0'.repeat(64), sig: '0'.repeat(128) },
            },
            changes: [],
          }),
        ),
        { expectStream: STREAMS.flags },
      );
  });

  describe('and its fold snapshots', () => {
    const fill = async (store: EventStore, count: number) => {
      await store.handle(createProject('shop'), meta());
      for (let n = 1; n < count; n++) await store.handle(createChannel('shop', `c${n}`), meta());
    };

    it('starts from a snapshot and the tail, with the same state as from the log alone', async () => {
      const store = await openStore({ snapshotEveryEvents: 4 });
      await fill(store, 10);
      await store.close();
      expect(readdirSync(directory)).toEqual(['shop.fold']);
      const other = await openStore();
      await other.handle(createChannel('shop', 'tail'), meta());
      await other.close();
      const counted = countReads(streams);
      const fromSnapshot = await openStore({ streams: counted.streams });
      const fromLog = await openStore({ snapshotDir: join(directory, 'none') });
      const states = await Promise.all(
        [fromSnapshot, fromLog].map(async (each) => serializeProject((await each.project('shop')).state)),
      );
      expect(states[0]).toEqual(states[1]);
      expect(counted.messagesRead()).toBe(0);
      expect(warnings).toEqual([]);
    });

    it.each([
      ['cut off', (text: string) => text.slice(0, text.length / 2)],
      ['changed', (text: string) => text.replace('"stable"', '"stolen"').replace('c1', 'c9')],
      ['empty', () => ''],
      ['noise', () => '\u0000\u0001{"a":\n\n'],
    ])('ignores one that is %s, with a warning', async (_name, damage) => {
      const store = await openStore();
      await fill(store, 5);
      await store.close();
      const path = join(directory, 'shop.fold');
      writeFileSync(path, damage(readFileSync(path, 'utf8')));
      const again = await openStore();
      expect((await again.project('shop')).state.channels.size).toBe(4);
      expect(warnings.join()).toMatch('damaged');
    });

    it('discards one of another log, but takes it as a witness', async () => {
      const store = await openStore();
      await fill(store, 5);
      await store.close();
      await replaceLog();
      const again = await openStore();
      expect((await again.project('shop')).head).toBeNull();
      expect(warnings.join()).toMatch('not of this log');
      await expect(again.handle(createProject('shop'), meta())).rejects.toThrow(WritesRefused);
    });
  });

  it('refuses to go on in a log created anew, and takes nothing of the old one for new', async () => {
    const store = await openStore({ snapshotDir: join(directory, 'own') });
    await store.handle(createProject('shop'), meta());
    await replaceLog();
    await expect(store.handle(createChannel('shop', 'stable'), meta())).rejects.toThrow(WritesRefused);
    const fresh = await openStore({ snapshotDir: join(directory, 'fresh') });
    await fresh.handle(createProject('shop'), meta());
    await expect(store.handle(createChannel('shop', 'stable'), meta())).rejects.toThrow(WritesRefused);
    expect(await all(fresh.read())).toHaveLength(1);
  });

  describe('followed across the loss of the log', () => {
    const fill = async (store: EventStore) => {
      await store.handle(createProject('shop'), meta());
      for (const slug of ['a', 'b']) await store.handle(createChannel('shop', slug), meta());
      const messages: StoredMessage[] = [];
      for await (const message of streams.readRange(STREAMS.log, { from: 0 })) messages.push(message);
      const follower = store.follow({ from: null });
      let taken = 0;
      for await (const _ of follower) if (++taken === 3) break;
      return { messages, checkpoint: follower.checkpoint() };
    };
    const taking = async (store: EventStore, from: FollowCheckpoint, count: number) => {
      const positions: number[] = [];
      for await (const { event } of store.follow({ from })) {
        positions.push(event.position);
        if (positions.length === count) break;
      }
      return positions;
    };

    it('says that the log is behind, and goes on without repeat once it is restored', async () => {
      const store = await openStore();
      const { messages, checkpoint } = await fill(store);
      await replaceLog();
      await expect(taking(store, checkpoint, 1)).rejects.toThrow(LogBehind);
      for (const { subject, data } of messages)
        await streams.publish(subject, data, { expectStream: STREAMS.log });
      await store.handle(createChannel('shop', 'c'), meta());
      expect(await taking(store, checkpoint, 1)).toEqual([4]);
    });

    it('goes on by itself when the log is restored while it is followed', async () => {
      const store = await openStore();
      const { messages, checkpoint } = await fill(store);
      const positions: number[] = [];
      const ended = new AbortController();
      const following = keepFollowing({
        store: { follow: ({ from }) => store.follow({ from: from ?? checkpoint }) },
        signal: ended.signal,
        onEvent: ({ event }) => positions.push(event.position),
        onFault: () => {},
        pause: () => new Promise((resolve) => setTimeout(resolve, 20)),
      });
      await replaceLog();
      for (const { subject, data } of messages)
        await streams.publish(subject, data, { expectStream: STREAMS.log });
      await store.handle(createChannel('shop', 'c'), meta());
      await until(() => positions.length === 1);
      expect(positions).toEqual([4]);
      ended.abort();
      await following;
    });

    it('says that history forked when the log goes another way', async () => {
      const store = await openStore();
      const { checkpoint } = await fill(store);
      await replaceLog();
      const careless = await openStore({ snapshotDir: join(directory, 'careless') });
      await careless.handle(createProject('shop'), meta());
      for (const slug of ['x', 'y', 'z']) await careless.handle(createChannel('shop', slug), meta());
      await expect(taking(store, checkpoint, 1)).rejects.toThrow(LogForked);
    });
  });

  const replaceLog = async (): Promise<void> => {
    if (server === null) (streams as MemoryStreams).remove(STREAMS.log);
    else {
      await server.kill();
      server.clearData();
      await server.start();
      await until(() => streams.status === 'connected');
    }
    now += 5_000;
    await declareInstallation(streams, { now });
  };
});

const text = (value: string | object): string => (typeof value === 'string' ? value : JSON.stringify(value));

async function all(events: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> {
  const found: StoredEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

function countReads(streams: Streams): { readonly streams: Streams; messagesRead(): number } {
  let count = 0;
  const counting: Streams = new Proxy(streams, {
    get(target, name) {
      if (name !== 'readRange') {
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async function* (...args: Parameters<Streams['readRange']>) {
        for await (const message of target.readRange(...args)) {
          count += 1;
          yield message;
        }
      };
    },
  });
  return { streams: counting, messagesRead: () => count };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
