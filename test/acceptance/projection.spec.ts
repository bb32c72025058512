import { randomBytes } from 'node:crypto';
import type { FlagDefinition } from '@headgate/contracts';
import type { Command } from '@headgate/domain';
import { createTestDatabase, type EmbeddedPostgres } from '@headgate/embedded';
import { type EventStore, openMemoryEventStore } from '@headgate/event-store';
import { Projection, projectionPause, RestoreRefused, restoreLog, verifyLog } from '@headgate/projector';
import {
  allRows,
  type Database,
  listViews,
  migrate,
  openDatabase,
  VIEW_TABLES,
  viewByName,
} from '@headgate/read-model';
import { uuidV7Source } from '@headgate/service-kit';
import type { MemoryStreams } from '@headgate/streams';
import { canonicalJson } from '@headgate/trust';
import fc from 'fast-check';
import { sql } from 'kysely';

let postgres: EmbeddedPostgres;
let db: Database;
let store: EventStore;
let streams: MemoryStreams;
let clock = 1_780_000_000_000;
const newId = uuidV7Source(() => clock, randomBytes);
const projections: Projection[] = [];

const openStore = async (): Promise<void> => {
  const newSalt = () => randomBytes(16).toString('hex');
  ({ store, streams } = await openMemoryEventStore({ clock: () => clock, newId, newSalt }));
};
const startProjection = (): Projection => {
  const projection = new Projection({ store, db, pause: projectionPause });
  projections.push(projection);
  projection.start();
  return projection;
};
const handle = (command: Command) => {
  clock += 1_000;
  return store.handle(command, { commandId: newId(), actor: 'spec' });
};
const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
};
const reaches = (projection: Projection, project: string, position: number): Promise<void> =>
  until(() => (projection.status().checkpoint?.heads[project]?.position ?? 0) >= position);
const tables = async (): Promise<string> => {
  const all = await Promise.all(VIEW_TABLES.map((table) => listViews(db, table, null)));
  return canonicalJson(all.map((views) => views.map((view) => canonicalJson(view)).sort()));
};
const folded = async (projects: readonly string[]): Promise<string> => {
  const rows = (
    await Promise.all(projects.map(async (project) => allRows(project, (await store.project(project)).state)))
  ).flat();
  return canonicalJson(
    VIEW_TABLES.map((table) =>
      rows
        .filter((row) => row.table === table)
        .map((row) => canonicalJson(row.view))
        .sort(),
    ),
  );
};
const flag = (project: string, key: string, over: Partial<FlagDefinition> = {}): Command => ({
  type: 'create-flag',
  project,
  flagId: newId(),
  channel: 'stable',
  key,
  definition: {
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    overridable: 'none',
    ...over,
  },
  why: 'spec',
});
const segment = (project: string, name: string): Command => ({
  type: 'create-segment',
  project,
  segmentId: newId(),
  channel: 'stable',
  name,
  definition: { when: { var: 'a' } },
  why: 'spec',
});
const begin = async (project: string): Promise<void> => {
  await handle({ type: 'create-project', project, projectId: newId(), name: project, why: 'spec' });
  await handle({
    type: 'create-channel',
    project,
    channelId: newId(),
    slug: 'stable',
    beatLifetimeMs: 60_000,
    why: 'spec',
  });
};

beforeAll(async () => {
  postgres = await createTestDatabase();
});
afterAll(() => postgres?.stop());

beforeEach(async () => {
  db = openDatabase(postgres.url);
  await sql`drop schema if exists headgate cascade`.execute(db);
  for (let generation = 1; generation < 6; generation += 1)
    await sql.raw(`drop schema if exists headgate_g${generation} cascade`).execute(db);
  await openStore();
});
afterEach(async () => {
  await Promise.all(projections.splice(0).map((projection) => projection.close()));
  await store.close();
  await db.destroy();
});

describe('a projection', () => {
  it('holds what the fold says, through restarts halfway, for any history', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.constantFrom(
            ...(['flag', 'needy', 'user', 'kill', 'lift', 'archive', 'restart'] as const),
            ...(['segment', 'change-segment', 'remove-segment'] as const),
          ),
          { minLength: 5, maxLength: 40 },
        ),
        async (acts) => {
          run += 1;
          const project = `p${run}-${newId().slice(-6)}`;
          let projection = startProjection();
          await begin(project);
          const [flags, segments]: [string[], string[]] = [[], []];
          const maybe = (command: Command) => handle(command).catch(() => undefined);
          for (const act of acts) {
            const n = flags.length;
            const target = flags[n >> 1];
            const segmentId = segments.at(-1);
            if (act === 'restart') {
              await projection.close();
              projection = startProjection();
            } else if (act === 'segment') {
              const made = await maybe(segment(project, `s${segments.length}`));
              if (made) segments.push(made.id);
            } else if (act === 'remove-segment' && segmentId)
              await maybe({ type: act, project, segmentId, why: act });
            else if (act === 'change-segment' && segmentId)
              await maybe({
                type: act,
                project,
                segmentId,
                definition: { when: { var: `b${n}` } },
                why: act,
              });
            else if (act === 'user' && segmentId) {
              const when = { $ref: `s${segments.length - 1}` };
              const made = await maybe(
                flag(project, `f${n}`, { rules: [{ when, serve: { variant: 'on' } }] }),
              );
              if (made) flags.push(made.id);
            } else if (act === 'needy' && target) {
              const prerequisites = [{ flag: `f${n >> 1}`, variants: ['on'] }];
              const made = await maybe(flag(project, `f${n}`, { prerequisites }));
              if (made) flags.push(made.id);
            } else if (act === 'flag' || !target) flags.push((await handle(flag(project, `f${n}`))).id);
            else {
              const type = act === 'kill' ? 'kill-flag' : act === 'lift' ? 'lift-kill' : 'archive-flag';
              await maybe({ type, project, flagId: target, why: act });
            }
          }
          await reaches(projection, project, (await store.project(project)).head?.position ?? 0);
          await projection.close();
        },
      ),
      { numRuns: 12 },
    );
    const projects = ((await listViews(db, 'project', null)) as { slug: string }[]).map(({ slug }) => slug);
    expect(projects).toHaveLength(12);
    expect(await tables()).toBe(await folded(projects));
  });

  it('is the same after a rebuild into fresh tables, and goes on from there', async () => {
    const projection = startProjection();
    await begin('web');
    for (let n = 0; n < 20; n += 1) await handle(flag('web', `f${n}`));
    await reaches(projection, 'web', 22);
    const before = await tables();
    await sql`delete from headgate.flag`.execute(db);
    expect(await tables()).not.toBe(before);
    expect(await projection.rebuild()).toEqual({ events: 22, rows: 22, generation: 2 });
    expect(await tables()).toBe(before);
    await handle(flag('web', 'later'));
    await reaches(projection, 'web', 23);
    expect(await viewByName(db, 'flag', 'web', 'stable/later')).toMatchObject({ key: 'later' });
  });

  it('waits for Postgres and loses nothing when it goes away halfway', async () => {
    const projection = startProjection();
    await begin('web');
    await reaches(projection, 'web', 2);
    const restarted = postgres.restart();
    for (let n = 0; n < 10; n += 1) await handle(flag('web', `f${n}`));
    await restarted;
    await reaches(projection, 'web', 12);
    expect(await tables()).toBe(await folded(['web']));
  });

  it('lets one of two projectors write each batch, whoever is first', async () => {
    const both = [startProjection(), startProjection()];
    await begin('web');
    for (let n = 0; n < 30; n += 1) await handle(flag('web', `f${n}`));
    await Promise.race(both.map((one) => reaches(one, 'web', 32)));
    expect(await tables()).toBe(await folded(['web']));
    expect(await verifyLog(store, db)).toMatchObject({ ok: true, events: 32, archived: 32 });
  });

  it('stops loudly when the log is another one than the archive, and writes nothing', async () => {
    const first = startProjection();
    await begin('web');
    await reaches(first, 'web', 2);
    await first.close();
    const before = await tables();
    await store.close();
    await openStore();
    await begin('web');
    const second = startProjection();
    await until(() => second.status().state === 'stopped');
    expect(second.status().detail).toMatch(/another event than the archive/);
    expect(await tables()).toBe(before);
  });

  it('stops loudly when the log ends before the archive', async () => {
    const first = startProjection();
    await begin('web');
    await reaches(first, 'web', 2);
    await first.close();
    await store.close();
    await openStore();
    const second = startProjection();
    await until(() => second.status().state === 'stopped');
    expect(second.status().detail).toMatch(/archive at 2; run `headgate log restore`/);
  });
});

describe('headgate log verify', () => {
  const prepared = async (): Promise<void> => {
    const projection = startProjection();
    await begin('web');
    await handle(flag('web', 'a'));
    await reaches(projection, 'web', 3);
  };

  it('finds both copies whole and the same', async () => {
    await prepared();
    expect(await verifyLog(store, db)).toEqual({
      ok: true,
      events: 3,
      archived: 3,
      notArchivedYet: 0,
      faults: [],
    });
  });

  it.each([
    [
      'a changed byte',
      sql`update headgate.archive set event = replace(event, '"key":"a"', '"key":"b"') where position = 3`,
      /position 3: .*data/i,
    ],
    [
      'bytes that are no event',
      sql`update headgate.archive set event = '{' where position = 2`,
      /position 2: not an event/,
    ],
    ['a missing event', sql`delete from headgate.archive where position = 2`, /position 3/],
  ])('names the place of %s in the archive', async (_what, damage, place) => {
    await prepared();
    await damage.execute(db);
    const verified = await verifyLog(store, db);
    expect(verified.ok).toBe(false);
    expect(verified.faults.join('\n')).toMatch(place);
  });

  it('says that the log ends before the archive', async () => {
    await prepared();
    await Promise.all(projections.splice(0).map((projection) => projection.close()));
    await store.close();
    await openStore();
    expect((await verifyLog(store, db)).faults).toEqual([
      expect.stringMatching(/archive goes on to position 3, the log ends at 0/),
    ]);
  });
});

describe('a database of version 0.1', () => {
  it('gets the tables that it lacks, and keeps its rows', async () => {
    const first = startProjection();
    await begin('web');
    await reaches(first, 'web', 2);
    await first.close();
    await sql`drop view headgate.segment`.execute(db);
    await sql`drop table headgate_g1.segment`.execute(db);
    const second = startProjection();
    await handle(segment('web', 'insiders'));
    await handle(flag('web', 'a', { rules: [{ when: { $ref: 'insiders' }, serve: { variant: 'on' } }] }));
    await reaches(second, 'web', 4);
    expect(await tables()).toBe(await folded(['web']));
    expect(await viewByName(db, 'segment', 'web', 'stable/insiders')).toMatchObject({ name: 'insiders' });
  });
});

describe('a database that another version has migrated', () => {
  it('is left alone', async () => {
    await migrate(db);
    await sql`update headgate.migration set checksum = 'x'`.execute(db);
    await expect(migrate(db)).rejects.toThrow(/migration 1 .* another version of Headgate/);
  });
});

describe('headgate log restore', () => {
  it('brings a lost log back with the same bytes, and everything verifies and goes on', async () => {
    const projection = startProjection();
    await begin('web');
    await begin('shop');
    await handle(flag('web', 'a'));
    await reaches(projection, 'web', 3);
    await reaches(projection, 'shop', 2);
    const before = await tables();
    await projection.close();
    await store.close();
    await openStore();
    expect(await restoreLog(streams, db)).toEqual({
      events: 5,
      projects: [
        { project: 'shop', from: 0, to: 2 },
        { project: 'web', from: 0, to: 3 },
      ],
    });
    expect(await verifyLog(store, db)).toMatchObject({ ok: true, events: 5, archived: 5 });
    expect(await restoreLog(streams, db)).toEqual({ events: 0, projects: [] });
    const again = startProjection();
    await handle(flag('web', 'b'));
    await reaches(again, 'web', 4);
    expect(await tables()).not.toBe(before);
    expect(await tables()).toBe(await folded(['shop', 'web']));
  });

  it('refuses to join two stories, and to write damaged bytes', async () => {
    const projection = startProjection();
    await begin('web');
    await reaches(projection, 'web', 2);
    await projection.close();
    await store.close();
    await openStore();
    await begin('web');
    await handle(flag('web', 'a'));
    expect(await restoreLog(streams, db)).toEqual({ events: 0, projects: [] });
    await store.close();
    await openStore();
    await handle({ type: 'create-project', project: 'web', projectId: newId(), name: 'other', why: 'spec' });
    await expect(restoreLog(streams, db)).rejects.toThrow(/archive .*|log holds/);
    await store.close();
    await openStore();
    await sql`update headgate.archive set event = replace(event, 'web', 'wob') where position = 1`.execute(
      db,
    );
    await expect(restoreLog(streams, db)).rejects.toThrow(RestoreRefused);
    expect((await store.project('web')).head).toBeNull();
  });
});
