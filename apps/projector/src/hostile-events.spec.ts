import { randomBytes } from 'node:crypto';
import { type LogEvent, type LogPosition, logSubject, STREAMS } from '@headgate/contracts';
import { createTestDatabase, type EmbeddedPostgres } from '@headgate/embedded';
import { type EventStore, openMemoryEventStore } from '@headgate/event-store';
import {
  allRows,
  type Database,
  listViews,
  migrate,
  openDatabase,
  readArchive,
  VIEW_TABLES,
} from '@headgate/read-model';
import { HealthRegistry, type Log, Metrics, uuidV7Source } from '@headgate/service-kit';
import type { MemoryStreams } from '@headgate/streams';
import { canonicalJson, type EventDraft, sealEvent } from '@headgate/trust';
import fc from 'fast-check';
import { sql } from 'kysely';
import { Projection, type ProjectionNote } from './projection.js';
import { ProjectorRun, projectionPause } from './projector.module.js';
import { restoreLog } from './restore-log.js';
import { verifyLog } from './verify-log.js';

const newId = uuidV7Source(() => 1_780_000_000_000, randomBytes);
const closing: Projection[] = [];
let notes: ProjectionNote[] = [];
let postgres: EmbeddedPostgres;
let db: Database;
let store: EventStore;
let streams: MemoryStreams;
let heads: Map<string, LogPosition>;
let projects = 0;

const openStore = async (): Promise<void> => {
  const newSalt = () => randomBytes(16).toString('hex');
  ({ store, streams } = await openMemoryEventStore({ clock: Date.now, newId, newSalt }));
};
const start = (): Projection => {
  const projection = new Projection({
    store,
    db,
    pause: (_attempt, signal) => projectionPause(0, signal),
    onNote: (note) => notes.push(note),
  });
  closing.push(projection);
  projection.start();
  return projection;
};
const closeAll = async (): Promise<void> => {
  await Promise.all(closing.splice(0).map((projection) => projection.close()));
};
const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
};
const reaches = (projection: Projection, project: string): Promise<void> =>
  until(() => projection.status().checkpoint?.heads[project]?.hash === heads.get(project)?.hash);

type Written = Partial<EventDraft> & Pick<EventDraft, 'project' | 'type' | 'kind' | 'data'>;

/** An event of a writer that asks nobody: sealed as every reader wants it, and with its own spelling of the JSON. */
const write = async (draft: Written, epoch = 1, spell: (event: object) => string = JSON.stringify) => {
  const { project, kind, aggregateId = newId() } = draft;
  const event = sealEvent(
    {
      id: newId(),
      commandId: newId(),
      commandDigest: 'a'.repeat(64),
      at: 1,
      actor: 'another',
      causationId: '',
      correlationId: '',
      salt: randomBytes(16).toString('hex'),
      aggregateId,
      ...draft,
    } as EventDraft,
    heads.get(project) ?? null,
    epoch,
  );
  const text = spell(event);
  await streams.publish(logSubject(project, kind, aggregateId), Buffer.from(text), {
    expectStream: STREAMS.log,
  });
  heads.set(project, { epoch: event.epoch, position: event.position, hash: event.hash });
  return { text, event: event as LogEvent };
};
const archive = async (project: string): Promise<readonly string[]> => {
  const texts: string[] = [];
  for await (const { text } of readArchive(db, project)) texts.push(text);
  return texts;
};
/** Every view of every project, of the tables and of the fold: nothing is replaced in them, so they are compared as they are. */
const tables = async (): Promise<string> => {
  const all = await Promise.all(VIEW_TABLES.map((table) => listViews(db, table, null)));
  return canonicalJson(all.map((views) => views.map((view) => canonicalJson(view)).sort()));
};
const folded = async (): Promise<string> => {
  const states = await Promise.all([...heads.keys()].map(async (name) => [name, await store.project(name)]));
  const rows = (states as [string, Awaited<ReturnType<EventStore['project']>>][]).flatMap(
    ([name, { state }]) => allRows(name, state),
  );
  return canonicalJson(
    VIEW_TABLES.map((table) =>
      rows.flatMap((row) => (row.table === table ? [canonicalJson(row.view)] : [])).sort(),
    ),
  );
};
const project = (name: string): Written => ({
  project: name,
  type: 'project-created.v1',
  kind: 'project',
  data: { slug: name, name, why: 'spec' },
});
const flag = (name: string, key: string, over: object = {}): Written => ({
  project: name,
  type: 'flag-created.v1',
  kind: 'flag',
  data: {
    channel: 'stable',
    key,
    definition: { state: 'ENABLED', variants: { on: true }, ...over },
    why: 'x',
  },
});

beforeAll(async () => {
  postgres = await createTestDatabase();
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  [notes, heads] = [[], new Map()];
  db = openDatabase(postgres.url);
  for (const schema of ['headgate', 'headgate_g1', 'headgate_g2', 'headgate_g3'])
    await db.schema.dropSchema(schema).ifExists().cascade().execute();
  await openStore();
});
afterEach(async () => {
  await closeAll();
  await store.close();
  await db.destroy();
});

// NUL, controls, what JSON and arrays of Postgres escape, a pair of surrogates, the byte order mark, and anything else.
const awkward = fc.constantFrom(
  '\0',
  '\u0001',
  '\\u0000',
  '"',
  '\\',
  '{',
  ',',
  'NULL',
  '\u{1f600}',
  '\ufeff',
  '\uffff',
);
const text = (most: number) =>
  fc
    .array(fc.oneof(awkward, fc.string({ unit: 'binary', minLength: 1, maxLength: 3 })), {
      minLength: 1,
      maxLength: 8,
    })
    .map((parts) => [...parts.join('')].slice(0, most / 2).join(''))
    .filter((all) => !/\p{Surrogate}/u.test(all));
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.MIN_VALUE,
    -0,
    2 ** 63,
    Number.MAX_SAFE_INTEGER,
  ),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    number,
    text(60),
    fc.constant(null),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(text(20), tie('json'), { maxKeys: 3 }),
  ),
}));
const time = fc.oneof(fc.constantFrom(0, Number.MAX_SAFE_INTEGER), fc.maxSafeNat());
const hostile = fc.record({
  name: text(100),
  why: text(2_000),
  actor: text(200),
  unknown: json,
  variant: text(100).filter((name) => name !== '__proto__'),
  value: json,
  when: json,
  tag: text(100),
  at: time,
  expires: time,
  epoch: time,
  id: fc.constantFrom(newId(), newId()),
  spacing: fc.constantFrom('', ' ', '\n\t'),
  mark: fc.constantFrom('', '\ufeff'),
});

describe('a projection of events that another writer wrote', () => {
  it('takes any text and any number, archives the bytes, and is the same after a rebuild and a restore', async () => {
    const projection = start();
    const written = new Map<string, string[]>();
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 4 }), async (all) => {
        const name = `p${++projects}`;
        let epoch = 0;
        const put = async (one: (typeof all)[number], draft: Written): Promise<void> => {
          epoch = Math.max(epoch, one.epoch);
          const { actor, at, id, mark, spacing } = one;
          const more = { actor, at, id, aside: one.unknown } as Partial<EventDraft>;
          const { text: line } = await write(
            { ...draft, ...more },
            epoch,
            (event) => mark + JSON.stringify(event, null, spacing),
          );
          written.set(draft.project, [...(written.get(draft.project) ?? []), line]);
        };
        for (const [n, one] of all.entries()) {
          const { why } = one;
          if (n === 0) {
            await put(one, { ...project(name), data: { slug: name, name: one.name, why } });
            const data = {
              slug: 'stable',
              beatLifetimeMs: Number.MAX_SAFE_INTEGER,
              attributes: [one.tag],
              why,
            };
            await put(one, { project: name, type: 'channel-created.v1', kind: 'channel', data });
          }
          const variants = { [one.variant]: one.value };
          const over = { variants, targeting: one.when, tags: [one.tag], expires: one.expires };
          await put(one, flag(name, `f${n}`, over));
          const definition = { when: one.when, description: one.name };
          const data = { channel: 'stable', name: `s${n}`, definition, why, aside: one.unknown };
          await put(one, { project: name, type: 'segment-created.v1', kind: 'segment', data });
        }
        await reaches(projection, name);
        expect(await archive(name)).toEqual(written.get(name));
      }),
      { numRuns: 60 },
    );
    expect(notes.filter(({ kind }) => kind === 'fault')).toEqual([]);
    const many = [...written.values()].flat().length;
    const before = await tables();
    expect(before).toBe(await folded());
    expect(await verifyLog(store, db)).toMatchObject({ ok: true, events: many, archived: many, faults: [] });
    expect(await projection.rebuild()).toMatchObject({ events: many, generation: 2 });
    expect(await tables()).toBe(before);
    await closeAll();
    await store.close();
    await openStore();
    expect(await restoreLog(streams, db)).toMatchObject({ events: many });
    expect(await verifyLog(store, db)).toMatchObject({ ok: true, events: many, archived: many, faults: [] });
    expect(await folded()).toBe(before);
  }, 60_000);

  it('keeps a NUL in the view of a token, and replaces it only in the column that nobody reads it by', async () => {
    const projection = start();
    await write({
      project: '_system',
      type: 'token-created.v1',
      kind: 'token',
      data: { name: 'a\0b', role: 'viewer', secretHash: 'b'.repeat(64), why: 'x' },
    });
    await reaches(projection, '_system');
    expect(await listViews(db, 'token', '_system')).toEqual([expect.objectContaining({ name: 'a\0b' })]);
    const { rows } = await sql`select name from headgate.token`.execute(db);
    expect(rows).toEqual([{ name: 'a\ufffdb' }]);
  });

  it('takes a project that is called as what every object has', async () => {
    await closeAll();
    await write(project('constructor'));
    await reaches(start(), 'constructor');
    expect(await archive('constructor')).toHaveLength(1);
    expect(await tables()).toBe(await folded());
  });

  it('archives more text than one statement may have', async () => {
    const value = 'x'.repeat(200_000);
    await write(project('big'));
    for (let n = 0; n < 180; n += 1) await write(flag('big', `f${n}`, { variants: { on: value } }));
    const projection = start();
    await reaches(projection, 'big');
    expect(notes.filter(({ kind }) => kind === 'written').length).toBeGreaterThan(2);
    expect(await projection.rebuild()).toMatchObject({ events: 181, rows: 181 });
    expect(await tables()).toBe(await folded());
  }, 60_000);

  it('stops at half a character, which has no canonical form, and names the place', async () => {
    await write(project('web'));
    const { event } = await write(flag('web', 'a'), 1, (sealed) =>
      JSON.stringify(sealed).replace('"actor":"another"', '"actor":"\\ud800"'),
    );
    const projection = start();
    await until(() => projection.status().state === 'stopped');
    expect(projection.status().detail).toMatch(new RegExp(`position ${event.position}.*no canonical form`));
  });
});

describe('a row that Postgres refuses', () => {
  it('makes the projector not ready, names position and cause, and goes on once it is taken', async () => {
    await write(project('web'));
    const projection = start();
    await reaches(projection, 'web');
    const [health, metrics, lines] = [new HealthRegistry(), new Metrics(), [] as [string, object][]];
    const log = {
      error: (message: string, fields: object) => lines.push([message, fields]),
    } as unknown as Log;
    const telling = { tell: (_note: ProjectionNote): void => undefined };
    new ProjectorRun({ projection, notes: telling }, log, health, metrics);
    expect(await health.readiness()).toMatchObject({ ok: true });

    await sql`alter table headgate_g1.flag add constraint poison check (name <> 'stable/poison')`.execute(db);
    const { streamSequence = 0 } = projection.status().checkpoint ?? {};
    const poisoned = streamSequence + 2;
    for (const key of ['a', 'poison', 'b']) await write(flag('web', key));
    await until(() => projection.status().refused !== null);
    expect(await health.readiness()).toEqual({
      ok: false,
      checks: {
        projector: {
          ok: false,
          isStuck: true,
          detail: expect.stringMatching(
            /^Postgres refuses the row of project "web", position 3 \(stream sequence \d+\) in table flag: .*"poison"/,
          ),
        },
      },
    });
    expect(await metrics.registry.metrics()).toContain(`headgate_projector_refused_sequence ${poisoned}`);
    const refusal = notes.find((note) => note.kind === 'fault' && note.at);
    telling.tell(refusal as ProjectionNote);
    expect(lines).toEqual([
      [expect.any(String), expect.objectContaining({ project: 'web', position: 3, table: 'flag' })],
    ]);
    // Following goes on beside it, and must not call the projector ready again.
    await write(flag('web', 'c'));
    await until(() => projection.status().lag >= 2);
    expect(await health.readiness()).toMatchObject({ ok: false });

    await sql`alter table headgate_g1.flag drop constraint poison`.execute(db);
    await reaches(projection, 'web');
    await until(async () => (await health.readiness()).ok);
    expect(await metrics.registry.metrics()).toContain('headgate_projector_refused_sequence 0');
    expect(await tables()).toBe(await folded());
  });

  it('is told apart from Postgres away, which nobody has to look at', async () => {
    await write(project('web'));
    const projection = start();
    await reaches(projection, 'web');
    await sql`alter table headgate.archive rename to archive_away`.execute(db);
    await write(flag('web', 'a'));
    await until(() => projection.status().state === 'waiting');
    expect(projection.status()).toMatchObject({
      refused: null,
      lag: 1,
      detail: expect.stringMatching(/archive/),
    });
    await sql`alter table headgate.archive_away rename to archive`.execute(db);
    await reaches(projection, 'web');
    await until(() => projection.status().state === 'following');
  });
});

describe('a database of a version that kept views as jsonb', () => {
  it('is brought over with its rows, and takes a NUL from then on', async () => {
    await write(project('web'));
    const first = start();
    await write(flag('web', 'a'));
    await reaches(first, 'web');
    await closeAll();
    const before = await tables();
    await sql`delete from headgate.migration where id = 3`.execute(db);
    await sql`alter table headgate.archive add constraint archive_event_id_key unique (event_id)`.execute(db);
    for (const table of VIEW_TABLES) {
      const own = sql.raw(`headgate_g1.${table}`);
      await sql`drop view ${sql.raw(`headgate.${table}`)}`.execute(db);
      await sql`alter table ${own} alter column view type jsonb using view::text::jsonb`.execute(db);
      await sql`create view ${sql.raw(`headgate.${table}`)} as select * from ${own}`.execute(db);
    }
    await migrate(db);
    expect(await tables()).toBe(before);
    await write(flag('web', 'b', { variants: { on: '\0' } }));
    await reaches(start(), 'web');
    expect(await tables()).toBe(await folded());
    expect(notes.filter(({ kind }) => kind === 'fault')).toEqual([]);
  });
});
