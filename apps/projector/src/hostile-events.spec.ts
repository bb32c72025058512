import { listViews, migrate, VIEW_TABLES } from '@headgate/read-model';
import type { EventDraft } from '@headgate/trust';
import fc from 'fast-check';
import { rawSql } from '../../../test/support/raw-sql.js';
import { flag, newId, project, until, useForeignLog, type Written } from './foreign-log.fixture.js';
import { restoreLog } from './restore-log.js';
import { verifyLog } from './verify-log.js';

const foreign = useForeignLog();
let projects = 0;

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
    const log = foreign();
    const projection = log.start();
    const written = new Map<string, string[]>();
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 4 }), async (all) => {
        const name = `p${++projects}`;
        let epoch = 0;
        const put = async (one: (typeof all)[number], draft: Written): Promise<void> => {
          epoch = Math.max(epoch, one.epoch);
          const { actor, at, id, mark, spacing } = one;
          const more = { actor, at, id, aside: one.unknown } as Partial<EventDraft>;
          const { text: line } = await log.write(
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
        await log.reaches(projection, name);
        expect(await log.archive(name)).toEqual(written.get(name));
      }),
      { numRuns: 60 },
    );
    expect(log.faults()).toEqual([]);
    const many = [...written.values()].flat().length;
    const before = await log.tables();
    expect(before).toBe(await log.folded());
    expect(await verifyLog(log.store, log.db)).toMatchObject({
      ok: true,
      events: many,
      archived: many,
      faults: [],
    });
    expect(await projection.rebuild()).toMatchObject({ events: many, generation: 2 });
    expect(await log.tables()).toBe(before);
    await log.loseLog();
    expect(await restoreLog(log.streams, log.db)).toMatchObject({ events: many });
    expect(await verifyLog(log.store, log.db)).toMatchObject({
      ok: true,
      events: many,
      archived: many,
      faults: [],
    });
    expect(await log.folded()).toBe(before);
  }, 60_000);

  it('keeps a NUL in the view of a token, and replaces it only in the column that nobody reads it by', async () => {
    const log = foreign();
    const projection = log.start();
    await log.write({
      project: '_system',
      type: 'token-created.v1',
      kind: 'token',
      data: { name: 'a\0b', role: 'viewer', secretHash: 'b'.repeat(64), why: 'x' },
    });
    await log.reaches(projection, '_system');
    expect(await listViews(log.db, 'token', '_system')).toEqual([expect.objectContaining({ name: 'a\0b' })]);
    const rows = await rawSql(log.db, 'select name from headgate.token');
    expect(rows).toEqual([{ name: 'a\ufffdb' }]);
  });

  it('takes a project that is called as what every object has', async () => {
    const log = foreign();
    await log.write(project('constructor'));
    await log.reaches(log.start(), 'constructor');
    expect(await log.archive('constructor')).toHaveLength(1);
    expect(await log.tables()).toBe(await log.folded());
  });

  it('archives more text than one statement may have', async () => {
    const log = foreign();
    const value = 'x'.repeat(200_000);
    await log.write(project('big'));
    for (let n = 0; n < 180; n += 1) await log.write(flag('big', `f${n}`, { variants: { on: value } }));
    const projection = log.start();
    await log.reaches(projection, 'big');
    expect(log.notes.filter(({ kind }) => kind === 'written').length).toBeGreaterThan(2);
    expect(await projection.rebuild()).toMatchObject({ events: 181, rows: 181 });
    expect(await log.tables()).toBe(await log.folded());
  }, 60_000);

  it('stops at half a character, which has no canonical form, and names the place', async () => {
    const log = foreign();
    await log.write(project('web'));
    const { event } = await log.write(flag('web', 'a'), 1, (sealed) =>
      JSON.stringify(sealed).replace('"actor":"another"', '"actor":"\\ud800"'),
    );
    const projection = log.start();
    await until(() => projection.status().state === 'stopped');
    expect(projection.status().detail).toMatch(new RegExp(`position ${event.position}.*no canonical form`));
  });
});

describe('a database of a version that kept views as jsonb', () => {
  it('is brought over with its rows, and takes a NUL from then on', async () => {
    const log = foreign();
    await log.write(project('web'));
    const first = log.start();
    await log.write(flag('web', 'a'));
    await log.reaches(first, 'web');
    await log.closeProjections();
    const before = await log.tables();
    await rawSql(log.db, `delete from headgate.migration where id = 3`);
    await rawSql(
      log.db,
      `alter table headgate.archive add constraint archive_event_id_key unique (event_id)`,
    );
    for (const table of VIEW_TABLES) {
      const own = `headgate_g1.${table}`;
      await rawSql(log.db, `drop view headgate.${table}`);
      await rawSql(log.db, `alter table ${own} alter column view type jsonb using view::text::jsonb`);
      await rawSql(log.db, `create view headgate.${table} as select * from ${own}`);
    }
    await migrate(log.db);
    expect(await log.tables()).toBe(before);
    await log.write(flag('web', 'b', { variants: { on: '\0' } }));
    await log.reaches(log.start(), 'web');
    expect(await log.tables()).toBe(await log.folded());
    expect(log.faults()).toEqual([]);
  });
});
