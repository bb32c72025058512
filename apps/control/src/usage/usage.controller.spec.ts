import type { LogPosition } from '@headgate/contracts';
import { createTestDatabase, type EmbeddedPostgres } from '@headgate/embedded';
import {
  type Database,
  migrate,
  openDatabase,
  readUsageCheckpoint,
  replaceGeneration,
  type UsageReport,
  writeUsage,
} from '@headgate/read-model';
import { type OpenedControl, openControl, prepare } from '../control.fixture.js';
import { UsageQueries } from './usage-queries.js';

const DAY_MS = 86_400_000;
const FLAGS = '/v1/projects/web/channels/stable/flags';
let postgres: EmbeddedPostgres;
let database: Database;
let control: OpenedControl;
let admin: string;

beforeAll(async () => {
  postgres = await createTestDatabase();
  database = openDatabase(postgres.url);
  await migrate(database);
  control = await openControl({ database });
  ({ admin } = await prepare(control));
  const { state, head } = await control.store.project('web');
  const heads: Record<string, LogPosition> = head ? { web: head } : {};
  await replaceGeneration(database, new Map([['web', state]]), {
    streamCreated: '',
    streamSequence: 1,
    heads,
  });
});
afterAll(async () => {
  await control?.close();
  await database?.destroy();
  await postgres?.stop();
});

const read = async (path: string) => (await control.call('GET', path, { token: admin })).body;
let sequence = 0;
const served = (at: number, who: number, counts: Record<string, number>, unknownFlags: string[] = []) => {
  const report: UsageReport = {
    project: 'web',
    channel: 'stable',
    instance: String(who).repeat(64),
    bootId: String(++sequence).padStart(32, '0'),
    seq: 1,
    at,
    served: Object.entries(counts).map(([variant, count]) => ({
      source: 'instance',
      flag: 'new-parser',
      variant,
      count,
    })),
    unknownFlags,
  };
  return readUsageCheckpoint(database).then((from) =>
    writeUsage(database, { from, to: from, reports: [report], skipped: 0 }),
  );
};

describe('the use of flags over HTTP', () => {
  it('is empty, and no flag is called unused, while nobody has reported', async () => {
    control.clock.ms += 100 * DAY_MS;
    expect(await read(`${FLAGS}/new-parser/usage`)).toMatchObject({
      key: 'new-parser',
      count: 0,
      firstServedAt: null,
      variants: [],
      lastReportAt: null,
      health: { stage: 'active' },
    });
    expect((await read(`${FLAGS}?stale=true`)).items).toEqual([]);
  });

  it('tells what was served, when and by how many, and which keys nobody defined', async () => {
    const now = control.clock.ms;
    await served(now - 2_000, 1, { on: 5, off: 1 }, ['new-parser', 'lost']);
    await served(now - 1_000, 2, { on: 2, '': 4 });
    const { items, dropped } = await read('/v1/projects/web/channels/stable/unknown-flags');
    expect({ items, dropped }).toEqual({
      items: [{ key: 'lost', firstAskedAt: now - 2_000, lastAskedAt: now - 2_000, instances: 1 }],
      dropped: 0,
    });
    const usage = await read(`${FLAGS}/new-parser/usage`);
    expect(usage).toMatchObject({ count: 12, firstServedAt: now - 2_000, lastServedAt: now - 1_000 });
    const shown = usage.variants.map(
      (one: { variant: string | null; count: number; instances: number }) =>
        [one.variant, one.count, one.instances] as const,
    );
    expect(shown).toEqual([
      [null, 4, 1],
      ['off', 1, 1],
      ['on', 7, 2],
    ]);
  });

  it('makes a flag stale that nobody evaluates while others report, and not when reports stop', async () => {
    control.clock.ms += 31 * DAY_MS;
    expect((await read(`${FLAGS}/new-parser`)).health).toMatchObject({ stage: 'active', reasons: [] });
    await served(control.clock.ms, 3, {}, ['lost']);
    const reasons = [expect.stringMatching(/^nobody has evaluated it since/)];
    expect((await read(`${FLAGS}/new-parser/usage`)).health).toMatchObject({ stage: 'stale', reasons });
    expect((await read(`${FLAGS}?stale=true`)).items).toMatchObject([
      { key: 'new-parser', health: { reasons } },
    ]);
  });

  it('takes nothing of a flag for that of a later one of the same key', async () => {
    const now = () => control.clock.ms;
    const queries = new UsageQueries({ db: database, now, log: { warn: () => {} } });
    const usage = await queries.ofChannel('web', 'stable');
    expect(usage?.of('new-parser', 0).variants).toHaveLength(3);
    expect(usage?.of('new-parser', now())).toMatchObject({ lastEvaluatedAt: null, variants: [] });
  });

  it('says of a flag that does not exist that it does not, and of Postgres that it is away', async () => {
    expect((await read(`${FLAGS}/none/usage`)).error.code).toBe('not-found');
    await postgres.stop();
    expect((await read(`${FLAGS}/new-parser/usage`)).error.code).toBe('read-model-behind');
    expect((await read(`${FLAGS}/new-parser`)).health.stage).toBe('active');
  });
});
