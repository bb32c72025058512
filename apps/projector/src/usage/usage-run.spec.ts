import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deadLetter, STREAMS, telemetrySubject } from '@headgate/contracts';
import { createTestDatabase, type EmbeddedNats, type EmbeddedPostgres, startNats } from '@headgate/embedded';
import {
  channelUsage,
  type Database,
  MOST_UNKNOWN,
  migrate,
  openDatabase,
  readUsageCheckpoint,
  retainUsage,
  servedVariants,
  unknownFlags,
} from '@headgate/read-model';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';
import { projectionPause } from '../projector.module.js';
import { type UsageNote, UsageRun } from './usage-run.js';

const DAY_MS = 86_400_000;
const directory = mkdtempSync(join(tmpdir(), 'hg-usage-'));
const runs: UsageRun[] = [];
let notes: UsageNote[] = [];
let nats: EmbeddedNats;
let postgres: EmbeddedPostgres;
let db: Database;
let collector: Streams;
let projector: Streams;
let admin: Streams;
/** A project of each spec's own: TELEMETRY keeps what others sent. */
let shop = '';
let specs = 0;

const connectAs = async (role: 'admin' | 'collector' | 'projector'): Promise<Streams> => {
  const { servers: url, user, pass: password, inboxPrefix } = nats.credentials(role);
  return connectStreams({ url, user, password, inboxPrefix, name: `spec ${role}` });
};

beforeAll(async () => {
  [nats, postgres] = await Promise.all([
    startNats({ dataDir: join(directory, 'nats') }),
    createTestDatabase(),
  ]);
  admin = await connectAs('admin');
  await declareInstallation(admin, { now: Date.now() });
  collector = await connectAs('collector');
  projector = await connectAs('projector');
}, 60_000);
afterAll(async () => {
  for (const streams of [admin, collector, projector]) await streams?.close();
  await nats?.stop();
  await postgres?.stop();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  notes = [];
  shop = `shop-${++specs}`;
  db = openDatabase(postgres.url);
  for (const schema of ['headgate', 'headgate_g1'])
    await db.schema.dropSchema(schema).ifExists().cascade().execute();
});
afterEach(async () => {
  await Promise.all(runs.splice(0).map((run) => run.close()));
  await db.destroy();
});

const start = (): UsageRun => {
  const run = new UsageRun({
    streams: projector,
    db,
    now: Date.now,
    pause: projectionPause,
    onNote: (note) => notes.push(note),
  });
  runs.push(run);
  run.start();
  return run;
};
const hex = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, length);
const report = (who: string, seq: number, on: number, more: object = {}) => ({
  schema: 'headgate.report.v1',
  project: shop,
  channel: 'stable',
  instance: hex(who, 64),
  bootId: hex(`boot of ${who}`, 32),
  seq,
  version: { upstream: '1.0' },
  health: 'ok',
  flags: [],
  exposures: [{ flag: 'new-path', variant: 'on', count: on }],
  window: { startedAt: 1, endedAt: 2 },
  ...more,
});
const send = async (value: unknown, project = shop): Promise<number> => {
  const data = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return (await collector.publish(telemetrySubject(project), data, { expectStream: STREAMS.telemetry }))
    .sequence;
};
const pack = (...reports: readonly unknown[]): Promise<number> =>
  send({ schema: 'headgate.telemetry-received.v1', receivedAt: Date.now(), reports });
const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
};
const counts = async (sequence: number): Promise<Record<string, number>> => {
  await until(() => runs.some((run) => (run.status().checkpoint?.streamSequence ?? 0) >= sequence));
  const rows = [...(await servedVariants(db, shop, 'stable'))].flatMap(([key, variants]) =>
    variants.map(({ variant, source, count }) => [`${key} ${variant ?? '(code)'} ${source}`, count] as const),
  );
  return Object.fromEntries(rows);
};
describe('counting the use of flags', () => {
  it('adds what every process served since its last report, by flag, variant and door', async () => {
    start();
    const ofCode = {
      exposures: [
        { flag: 'new-path', variant: 'on', count: 7 },
        { flag: 'new-path', count: 2 },
      ],
    };
    await pack(report('a', 1, 5), report('b', 1, 1));
    await send({
      schema: 'headgate.gateway-usage-received.v1',
      receivedAt: Date.now(),
      usage: [
        {
          schema: 'headgate.gateway-usage.v1',
          project: shop,
          channel: 'stable',
          gateway: hex('gateway', 64),
          bootId: hex('gateway', 32),
          seq: 1,
          asked: [{ flag: 'new-path', variant: 'on', count: 40 }],
          listed: [{ flag: 'old-path', variant: 'off', count: 3 }],
        },
      ],
    });
    expect(await counts(await pack(report('a', 2, 0, ofCode)))).toEqual({
      'new-path on instance': 8,
      'new-path (code) instance': 2,
      'new-path on gateway': 40,
      'old-path off list': 3,
    });
    const [served] = (await servedVariants(db, shop, 'stable', 'new-path')).get('new-path')!.slice(-1);
    expect(served).toMatchObject({ variant: 'on', source: 'instance', instances: 2 });
    expect(notes.filter(({ kind }) => kind !== 'counted')).toEqual([]);
  });

  it('counts a pack once: through redelivery, a restart, a second reader and Postgres going away', async () => {
    start();
    await pack(report('a', 1, 5));
    const twice = await pack(report('a', 1, 5), report('a', 2, 9));
    const expected = { 'new-path on instance': 9 };
    expect(await counts(twice)).toEqual(expected);
    start();
    const restarted = postgres.restart();
    const later = await pack(report('a', 2, 9), report('b', 1, 1));
    await restarted;
    const all = { 'new-path on instance': 10 };
    expect(await counts(later)).toEqual(all);
    await Promise.all(runs.splice(0).map((run) => run.close()));

    // Everything is delivered again, as if no checkpoint had been written.
    const again = db.updateTable('usage_checkpoint').set({ stream_sequence: 0 });
    await again.execute();
    start();
    expect(await counts(later)).toEqual(all);
    await Promise.all(runs.splice(0).map((run) => run.close()));

    // The control: without what the processes said last, the same redelivery does count twice.
    await again.execute();
    await db.deleteFrom('usage_boot').execute();
    start();
    expect(await counts(later)).toEqual({ 'new-path on instance': 20 });
  });

  it('goes on past what it cannot read, and keeps that as dead letters', async () => {
    start();
    const bad = { exposures: [{ flag: 'new-path', variant: 'on', count: -1 }] };
    const nul = { exposures: [{ flag: 'new-path', variant: 'a\u0000b', count: 1 }] };
    const first = await send('{');
    await send({ schema: 'headgate.telemetry-received.v1', receivedAt: 'soon', reports: [] });
    await pack(report('a', 1, 5), report('b', 1, 1, bad), report('c', 1, 1, { project: 'other' }));
    await pack(report('d', 1, 1, nul), report('e', 1, 2));
    expect(await counts(await pack(report('a', 2, 6)))).toEqual({ 'new-path on instance': 8 });
    const { skipped } = await db.selectFrom('usage_checkpoint').select('skipped').executeTakeFirstOrThrow();
    expect(skipped).toBe(5);
    expect(notes.filter(({ kind }) => kind === 'skipped')).toHaveLength(5);
    const letters = [];
    for await (const { subject, data } of admin.readRange(STREAMS.deadLetters, { from: 1 }))
      letters.push({ subject, ...deadLetter.parse(JSON.parse(Buffer.from(data).toString())) });
    expect(letters.filter(({ sequence }) => sequence >= first)).toMatchObject([
      { subject: 'hg.dlq.usage', sequence: first, text: '{' },
      { sequence: first + 1, error: expect.stringMatching(/^receivedAt/) },
      { sequence: first + 2, index: 1, error: expect.stringMatching(/^exposures\.0\.count/) },
      { sequence: first + 2, index: 2, error: `project: is not "${shop}"` },
      { sequence: first + 3, index: 0 },
    ]);
  });

  it('lists unknown flags, so many and no more, and counts the rest', async () => {
    start();
    for (let n = 0; n < MOST_UNKNOWN + 100; n += 100) {
      const keys = Array.from({ length: 100 }, (_, k) => `made-up-${n + k}`);
      await pack(report(`a${n}`, 1, 1, { unknownFlags: keys }));
    }
    await counts(await pack(report('z', 1, 1, { unknownFlags: ['made-up-7', 'one-more'] })));
    const listed = await unknownFlags(db, shop, 'stable');
    expect(listed).toHaveLength(MOST_UNKNOWN);
    expect(listed[0]).toMatchObject({ key: 'made-up-7', instances: 2 });
    expect(await channelUsage(db, shop, 'stable')).toMatchObject({
      droppedUnknown: 101,
      droppedVariants: 0,
    });
  });

  it('counts no more channels than it has room for, whoever makes them up, and says how many reports that were', async () => {
    await migrate(db);
    const rows = Array.from({ length: 1_999 }, (_, n) => ({ project: shop, channel: `c${n}` }));
    const none = { first_at: Date.now(), last_at: Date.now(), dropped_variants: 0, dropped_unknown: 0 };
    await db
      .insertInto('usage_channel')
      .values(rows.map((row) => ({ ...row, ...none })))
      .execute();
    // What other specs sent must not take the last place.
    const { lastSequence, created } = (await admin.info(STREAMS.telemetry))!;
    const here = { stream_created: created, stream_sequence: lastSequence };
    await db.updateTable('usage_checkpoint').set(here).execute();
    start();
    await pack(report('a', 1, 5));
    const made = ['made', 'up'].map((channel) => report(channel, 1, 1, { channel }));
    expect(await counts(await pack(...made, report('a', 2, 6)))).toEqual({ 'new-path on instance': 6 });
    const left = notes.flatMap((note) => (note.kind === 'left-out' ? [note.reports] : []));
    expect(left.reduce((sum, many) => sum + many, 0)).toBe(2);
    expect(await channelUsage(db, shop, 'made')).toMatchObject({ lastReportAt: null });
  });

  it('begins anew with another TELEMETRY, and counts on what it had', async () => {
    start();
    await counts(await pack(report('a', 1, 5)));
    await Promise.all(runs.splice(0).map((run) => run.close()));
    const foreign = { stream_created: 'another', stream_sequence: 1_000_000 };
    await db.updateTable('usage_checkpoint').set(foreign).execute();
    const last = await pack(report('a', 2, 6));
    start();
    expect(await counts(last)).toEqual({ 'new-path on instance': 6 });
    const { created } = (await admin.info(STREAMS.telemetry))!;
    expect(await readUsageCheckpoint(db)).toMatchObject({ streamCreated: created, streamSequence: last });
  });

  it('forgets what nobody has said for long', async () => {
    start();
    const unknown = { unknownFlags: ['lost'] };
    await counts(await pack(report('a', 1, 5, unknown)));
    const kept = async (days: number): Promise<readonly number[]> => {
      await retainUsage(db, Date.now() + days * DAY_MS);
      const tables = ['usage_unknown', 'usage_boot', 'usage_variant', 'usage_channel'] as const;
      const rows = tables.map((table) =>
        db.selectFrom(table).select('project').where('project', '=', shop).execute(),
      );
      return (await Promise.all(rows)).map((some) => some.length);
    };
    expect(await kept(0)).toEqual([1, 1, 1, 1]);
    expect(await kept(31)).toEqual([0, 1, 1, 1]);
    expect(await kept(91)).toEqual([0, 0, 1, 1]);
    expect(await kept(401)).toEqual([0, 0, 0, 0]);
  });
});
