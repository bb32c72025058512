import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createTestDatabase,
  DataDirectoryInUse,
  type EmbeddedPostgres,
  type StartPostgresOptions,
  startPostgres,
} from '@headgate/embedded';
import pg from 'pg';

let dataDir: string;
const started: EmbeddedPostgres[] = [];
const strangers: ChildProcess[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hg-postgres-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((postgres) => postgres.stop()));
  for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(options: Partial<StartPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startPostgres({ dataDir, env: {}, durable: false, ...options });
  started.push(postgres);
  return postgres;
}

/** Made once, as a first start makes it; the specs of what goes wrong later have a copy each. */
let whole: string;
beforeAll(async () => {
  whole = mkdtempSync(join(tmpdir(), 'hg-postgres-'));
  const postgres = await startPostgres({ dataDir: whole, env: {} });
  await query(postgres.url, 'create table kept (n int)');
  await postgres.stop();
});
afterAll(() => rmSync(whole, { recursive: true, force: true }));

const haveCluster = () => cpSync(whole, dataDir, { recursive: true });

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  // a server that is killed breaks the connection; the query itself reports it
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const value = async (url: string, sql: string) => Object.values((await query(url, sql))[0] ?? {})[0];

test('a database of its own, synced to disk, on a socket only, as a role that is no superuser', async () => {
  haveCluster();
  const { url } = await start({ durable: true });
  expect(await value(url, 'select current_database()')).toBe('headgate');
  expect(await value(url, 'select rolsuper from pg_roles where rolname = current_user')).toBe(false);
  for (const [setting, wanted] of [
    ['fsync', 'on'],
    ['synchronous_commit', 'on'],
    ['full_page_writes', 'on'],
    ['data_checksums', 'on'],
    ['listen_addresses', ''],
    ['server_encoding', 'UTF8'],
    ['timezone', 'UTC'],
  ]) {
    expect([setting, await value(url, `show ${setting}`)]).toEqual([setting, wanted]);
  }
});

test('the password is asked for, and it is generated', async () => {
  haveCluster();
  const { url } = await start();
  await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toThrow(
    /password authentication failed/,
  );
  await expect(query(url.replace(/:[^:@]+@/, '@'), 'select 1')).rejects.toThrow(/password/);
  await expect(query(url.replace('headgate:', 'headgate_admin:'), 'select 1')).rejects.toThrow(
    /password authentication failed/,
  );
  expect(Buffer.from(new URL(url).password, 'base64url')).toHaveLength(32);
  const rules = readFileSync(join(dataDir, 'cluster', 'pg_hba.conf'), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.trim().split(/\s+/).at(-1));
  expect([...new Set(rules)]).toEqual(['scram-sha-256']);
});

test('nobody but its owner can look inside', async () => {
  haveCluster();
  chmodSync(dataDir, 0o755);
  await start();
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(dataDir)) {
    expect([name, statSync(join(dataDir, name)).mode & 0o077]).toEqual([name, 0]);
  }
});

test('rows and password are there after a stop and a start', async () => {
  haveCluster();
  const first = await start();
  await query(first.url, 'insert into kept values (1)');
  await first.stop();
  expect(existsSync(join(dataDir, 'postgres.lock'))).toBe(false);
  const second = await start();
  expect(second.url).toBe(first.url);
  expect(await value(second.url, 'select count(*) from kept')).toBe('1');
});

test('a second start on the same data says who holds them, and disturbs nothing', async () => {
  haveCluster();
  const { url } = await start();
  const refusal = await start().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DataDirectoryInUse);
  expect((refusal as DataDirectoryInUse).holder.pid).toBe(process.pid);
  expect(await value(url, 'select 1')).toBe(1);
});

test('a server that is killed in the middle of work is reported, and restarts with every committed row', async () => {
  haveCluster();
  const exits: unknown[] = [];
  const postgres = await start({ durable: true, onExit: (exit) => exits.push(exit) });
  const { url } = postgres;
  for (let round = 1; round <= 3; round++) {
    await query(url, `insert into kept values (${round})`);
    const open = query(url, 'insert into kept select 0 from pg_sleep(60)').catch((error: Error) => error);
    process.kill(postgres.pid ?? 0, 'SIGKILL');
    await postgres.restart();
    expect(await open).toHaveProperty('message');
    expect(await query(url, 'select n from kept order by n')).toEqual(
      Array.from({ length: round }, (_, index) => ({ n: index + 1 })),
    );
  }
  expect(exits.length).toBeLessThanOrEqual(3);
});

test('a data directory too deep for a socket gets one elsewhere that is private too', async () => {
  const deep = join(dataDir, 'd'.repeat(100), 'e'.repeat(60));
  cpSync(whole, deep, { recursive: true });
  const { url } = await start({ dataDir: deep });
  const folder = new URL(url).searchParams.get('host') ?? '';
  expect(folder.startsWith(deep)).toBe(false);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(await value(url, 'select 1')).toBe(1);
  await Promise.all(started.splice(0).map((postgres) => postgres.stop()));
  expect(existsSync(folder)).toBe(false);
});

test('a path that only its owner may pass works, as below the home of root', async () => {
  const closed = join(dataDir, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  cpSync(whole, join(closed, 'data'), { recursive: true });
  expect(await value((await start({ dataDir: join(closed, 'data') })).url, 'select 1')).toBe(1);
});

test('a first start that was cut off leaves nothing that the next takes for data', async () => {
  mkdirSync(join(dataDir, 'cluster.incoming', 'base'), { recursive: true });
  writeFileSync(join(dataDir, 'cluster.incoming', 'PG_VERSION'), '18');
  expect(await value((await start()).url, 'select 1')).toBe(1);
  expect(existsSync(join(dataDir, 'cluster.incoming'))).toBe(false);
});

test('lost credentials are made anew and the rows are still there', async () => {
  haveCluster();
  rmSync(join(dataDir, 'credentials.json'));
  expect(await value((await start()).url, 'select count(*) from kept')).toBe('0');
});

test('a pid file whose id another process has got since does not stop the start', async () => {
  haveCluster();
  const stranger = spawn('/bin/sh', ['-c', 'read -r _'], { stdio: ['pipe', 'ignore', 'ignore'] });
  strangers.push(stranger);
  writeFileSync(
    join(dataDir, 'cluster', 'postmaster.pid'),
    `${stranger.pid}\n${join(dataDir, 'cluster')}\n1\n5432\n/nowhere\n\n\nready\n`,
  );
  expect(await value((await start()).url, 'select count(*) from kept')).toBe('0');
});

describe('a damaged data directory says what is wrong and what to do, and is left as it is', () => {
  let damaged: string;
  const advice = /backup, or move .* away|move the folder away/;

  beforeAll(async () => {
    damaged = mkdtempSync(join(tmpdir(), 'hg-postgres-'));
    cpSync(whole, damaged, { recursive: true });
  });
  afterAll(() => rmSync(damaged, { recursive: true, force: true }));

  test.each<[string, string, RegExp, string | Buffer | null]>([
    ['PG_VERSION', 'missing', /damaged: .*PG_VERSION is missing or empty/, null],
    ['PG_VERSION', 'empty', /damaged: .*PG_VERSION is missing or empty/, ''],
    ['PG_VERSION', 'of another version', /made by Postgres 13/, '13\n'],
    ['global/pg_control', 'missing', /could not open file .*pg_control/, null],
    ['global/pg_control', 'all zeros', /it said:\n.*(PANIC|FATAL)/s, Buffer.alloc(8192)],
    ['pg_wal', 'missing', /it said:\n.*pg_wal/s, null],
    ['postgresql.conf', 'unreadable', /syntax error/, 'what = = ?\n'],
  ])('%s %s', async (name, _how, message, content) => {
    const cluster = join(damaged, 'cluster');
    const path = join(cluster, name);
    renameSync(path, join(damaged, 'aside'));
    if (content !== null) writeFileSync(path, content);
    const before = readdirSync(cluster).sort();
    const refusal = (await start({ dataDir: damaged }).catch((error: unknown) => error)) as Error;
    expect(refusal.message).toMatch(message);
    expect(refusal.message).toMatch(advice);
    expect(readdirSync(cluster).sort()).toEqual(before);
    expect(existsSync(join(damaged, 'postgres.lock'))).toBe(false);
    rmSync(path, { recursive: true, force: true });
    renameSync(join(damaged, 'aside'), path);
  });

  test('mended, it is served again', async () => {
    expect(await value((await start({ dataDir: damaged })).url, 'select count(*) from kept')).toBe('0');
  });
});

test('DATABASE_URL goes before everything and is left alone', async () => {
  const env = { DATABASE_URL: 'postgresql://somebody@db.example/headgate' };
  const postgres = await start({ env });
  expect(postgres.url).toBe(env.DATABASE_URL);
  expect(postgres.pid).toBeNull();
  await postgres.stop();
  expect(readdirSync(dataDir)).toEqual([]);
});

test('test databases are empty, apart from each other, and leave nothing behind', async () => {
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('hg-pg-'));
  const before = left();
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  started.push(one, two);
  await query(one.url, 'create table mine (n int)');
  await expect(query(two.url, 'select * from mine')).rejects.toThrow(/does not exist/);
  expect(await value(two.url, 'show fsync')).toBe('off');
  await one.restart();
  expect(await query(one.url, 'select * from mine')).toEqual([]);
  await one.stop();
  await two.stop();
  expect(left().filter((name) => !before.includes(name))).toEqual([]);
});
