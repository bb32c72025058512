import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readChannel } from '@headgate/channel-stream';
import { type FlagDefinition, STREAMS } from '@headgate/contracts';
import { type Command, compileDocument, surroundingsOf } from '@headgate/domain';
import { createTestDatabase, type EmbeddedPostgres } from '@headgate/embedded';
import { type EventStore, flagsHeadReader, openEventStore } from '@headgate/event-store';
import { Projection, projectionPause, readoptFlags, restoreLog, verifyLog } from '@headgate/projector';
import { Publisher, TrustKeeper } from '@headgate/publisher';
import { archiveHead, type Database, openDatabase } from '@headgate/read-model';
import { uuidV7Source } from '@headgate/service-kit';
import { declareInstallation, type MemoryStreams, openMemoryStreams } from '@headgate/streams';
import { documentDigest } from '@headgate/trust';
import { until } from '../support/until.js';

const newId = uuidV7Source(Date.now, randomBytes);
let postgres: EmbeddedPostgres;
let db: Database;
let folder: string;
let streams: MemoryStreams;
let store: EventStore;
let keeper: TrustKeeper;

const openStore = (): Promise<EventStore> =>
  openEventStore({
    streams,
    clock: Date.now,
    newId,
    newSalt: () => randomBytes(16).toString('hex'),
    patienceMs: 500,
    guards: { archiveHead: (project) => archiveHead(db, project), flagsHead: flagsHeadReader(streams) },
  });
const handle = (command: Command) => store.handle(command, { commandId: newId(), actor: 'spec' });
const createFlag = async (key: string, over: Partial<FlagDefinition> = {}): Promise<string> => {
  const flagId = newId();
  const definition = {
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    overridable: 'none',
    ...over,
  } as const;
  await handle({
    type: 'create-flag',
    project: 'web',
    flagId,
    channel: 'stable',
    key,
    definition,
    why: 'spec',
  });
  return flagId;
};
const coldReader = async () =>
  (
    await readChannel({
      streams,
      stream: STREAMS.flags,
      project: 'web',
      channel: 'stable',
      pin: keeper.pin,
      now: Date.now,
    })
  ).reader;
/** Publishes until a cold reader holds exactly what the log folds to. */
const publish = async (): Promise<void> => {
  const pause = (signal: AbortSignal) => projectionPause(0, signal);
  const publisher = new Publisher({
    store,
    streams,
    keeper: new TrustKeeper({ folder: join(folder, 'keys'), now: Date.now }),
    now: Date.now,
    beatEveryMs: 1_000,
    pause,
  });
  publisher.start();
  const { state } = await store.project('web');
  const wanted = [...state.flags.values()].flatMap((flag) => {
    const document = compileDocument('web', flag, surroundingsOf(state, flag.channel));
    return document ? [documentDigest(document)] : [];
  });
  await until('FLAGS to hold the fold', async () => {
    const documents = (await coldReader()).signedState()?.documents ?? [];
    return (
      documents
        .map((document) => documentDigest(document))
        .sort()
        .join() === wanted.sort().join()
    );
  });
  await publisher.close();
};

/** Cuts the log off behind a position, as a power loss without sync does. */
const loseAfter = async (position: number): Promise<void> => {
  for await (const { event, streamSequence } of store.read({ project: 'web' }))
    if (event.position === position) {
      await store.close();
      streams.loseTail(STREAMS.log, streamSequence);
      store = await openStore();
      return;
    }
};

beforeEach(async () => {
  postgres = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'hg-lost-'));
  db = openDatabase(postgres.url);
  streams = openMemoryStreams({ now: Date.now });
  await declareInstallation(streams, { now: Date.now() });
  keeper = new TrustKeeper({ folder: join(folder, 'keys'), now: Date.now });
  // Made by hand: a store that asks the archive needs its tables.
  const projection = new Projection({
    store: await openEventStore({ streams, clock: Date.now, newId, newSalt: () => '0'.repeat(32) }),
    db,
    pause: projectionPause,
  });
  projection.start();
  await until('the projection to have made its tables', () => projection.status().state === 'following');
  store = await openStore();
  await handle({ type: 'create-project', project: 'web', projectId: newId(), name: 'web', why: 'spec' });
  await handle({
    type: 'create-channel',
    project: 'web',
    channelId: newId(),
    slug: 'stable',
    beatLifetimeMs: 60_000,
    why: 'spec',
  });
  await createFlag('kept');
  await createFlag('ended-later');
  await until('the archive to have four events', async () => (await archiveHead(db, 'web'))?.position === 4);
  await projection.close();
});
afterEach(async () => {
  await store.close();
  await db.destroy();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a log that lost its tail, further back than its archive', () => {
  it('refuses writes until it is restored, and then keeps every kill and every newer flag that was signed', async () => {
    const { state } = await store.project('web');
    const kept = state.flagIds.get('stable/kept') as string;
    const endedLater = state.flagIds.get('stable/ended-later') as string;
    await handle({ type: 'kill-flag', project: 'web', flagId: kept, why: 'data loss' });
    await handle({ type: 'archive-flag', project: 'web', flagId: endedLater, why: 'gone' });
    const added = await createFlag('added');
    await publish();
    const seen = (await coldReader()).seen;
    await loseAfter(3);

    await expect(createFlag('too-early')).rejects.toMatchObject({ code: 'writes-refused' });
    expect(await restoreLog(streams, db)).toMatchObject({
      events: 1,
      projects: [{ project: 'web', from: 3, to: 4 }],
    });
    await expect(createFlag('still-too-early')).rejects.toMatchObject({ code: 'writes-refused' });

    const options = { streams, store, pin: keeper.pin, now: Date.now };
    expect(await readoptFlags('web', options)).toEqual({
      project: 'web',
      epoch: (seen?.epoch ?? 0) + 1,
      flags: 2,
      archived: 1,
      aborted: 0,
    });
    expect(await readoptFlags('web', options)).toBeNull();
    const { flags } = (await store.project('web')).state;
    expect(flags.get(kept)).toMatchObject({ status: 'killed', killed: { why: 'data loss' } });
    expect(flags.get(endedLater)).toMatchObject({ status: 'archived' });
    expect(flags.get(added)).toMatchObject({ status: 'active', key: 'added' });

    await createFlag('afterwards');
    await publish();
    const reader = await coldReader();
    expect(reader.seen?.epoch).toBe((seen?.epoch ?? 0) + 1);
    expect(await readoptFlags('web', options)).toBeNull();
    expect((await verifyLog(store, db)).faults).toEqual([]);
  });

  it('keeps what people wrote of a flag that moved only with what it needs', async () => {
    const projection = new Projection({
      store: await openEventStore({ streams, clock: Date.now, newId, newSalt: () => '0'.repeat(32) }),
      db,
      pause: projectionPause,
    });
    projection.start();
    const flagIds = (await store.project('web')).state.flagIds;
    const kept = flagIds.get('stable/kept') as string;
    const prerequisites = [{ flag: 'kept', variants: ['off'], otherwise: 'off' }];
    const needy = await createFlag('needy', { prerequisites, defaultVariant: 'on' });
    await handle({
      type: 'create-segment',
      project: 'web',
      channel: 'stable',
      segmentId: newId(),
      name: 'insiders',
      definition: { when: { var: 'insider' } },
      why: 'spec',
    });
    const rules = [{ when: { $ref: 'insiders' }, serve: { variant: 'on' } }];
    const user = await createFlag('user', { rules, tags: ['ours'] });
    const { state } = await store.project('web');
    const segmentId = state.segmentIds.get('stable/insiders') as string;
    const { head } = state;
    await until(
      'the archive to follow',
      async () => (await archiveHead(db, 'web'))?.position === head?.position,
    );
    await projection.close();
    await handle({ type: 'kill-flag', project: 'web', flagId: kept, why: 'data loss' });
    const definition = { when: { var: 'staff' } };
    await handle({ type: 'change-segment', project: 'web', segmentId, definition, why: 'fewer' });
    await publish();
    await loseAfter(head?.position ?? 0);

    const options = { streams, store, pin: keeper.pin, now: Date.now };
    expect(await readoptFlags('web', options)).toMatchObject({ flags: 2 });
    const { flags } = (await store.project('web')).state;
    expect(flags.get(kept)).toMatchObject({ status: 'killed' });
    // What it waits for was restored as killed, so its own definition says all.
    expect(flags.get(needy)?.definition).toMatchObject({ prerequisites });
    // The segment's change is in no document but as the rule that it made.
    expect(flags.get(user)?.definition).toMatchObject({
      targeting: { if: [{ var: 'staff' }, 'on', null] },
      tags: ['ours'],
    });
    await publish();
    const documents = (await coldReader()).signedState()?.documents ?? [];
    expect(documents.find(({ flagId }) => flagId === needy)?.targeting).toEqual({ if: [true, 'off'] });
    expect(await readoptFlags('web', options)).toBeNull();
  });

  it('has nothing to adopt when the archive was whole', async () => {
    await publish();
    await loseAfter(2);
    expect(await restoreLog(streams, db)).toMatchObject({ events: 2 });
    expect(await readoptFlags('web', { streams, store, pin: keeper.pin, now: Date.now })).toBeNull();
    await createFlag('afterwards');
  });
});
