import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectoryInUse, lockData } from './data-lock.js';
import { identityOf } from './process-identity.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hg-lock-'));
  path = join(folder, 'server.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lock = (patienceMs = 5_000) => lockData({ path, what: `data in ${folder}`, now: Date.now, patienceMs });

const holder = (change: object) =>
  writeFileSync(
    path,
    JSON.stringify({
      token: 'somebody-else',
      owner: identityOf(process.pid),
      since: '2026-01-02T03:04:05.000Z',
      server: null,
      url: null,
      ...change,
    }),
  );

test('a second holder is told who holds the data, since when, and where it answers', async () => {
  const first = await lock();
  first.note({ url: 'nats://127.0.0.1:1', serverPid: process.pid });
  const refusal = await lock().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DataDirectoryInUse);
  expect((refusal as DataDirectoryInUse).holder).toMatchObject({
    pid: process.pid,
    url: 'nats://127.0.0.1:1',
  });
  expect((refusal as Error).message).toMatch(
    new RegExp(`data in ${folder} is in use by process ${process.pid} since .* answering at nats://`),
  );
  first.release();
  (await lock()).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('of many that start at once exactly one gets the data', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lock()));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('of many that find a dead holder exactly one takes over', async () => {
  holder({ owner: { ...identityOf(process.pid), startedAt: '1' } });
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lock()));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a lock is stale when its process is gone', async () => {
  const child = spawn('/bin/sh', ['-c', 'read -r _'], { stdio: ['pipe', 'ignore', 'ignore'] });
  const owner = identityOf(child.pid ?? 0);
  holder({ owner });
  await expect(lock()).rejects.toThrow(`in use by process ${child.pid}`);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.end();
  await ended;
  (await lock()).release();
});

test('a lock is stale when another process has got the id since', async () => {
  holder({ owner: { ...identityOf(process.pid), startedAt: '1' } });
  (await lock()).release();
});

test('a lock is stale after the machine was started anew', async () => {
  holder({ owner: { ...identityOf(process.pid), boot: 'an-earlier-boot' } });
  (await lock()).release();
});

test('a lock of another host is not judged from here', async () => {
  holder({ owner: { ...identityOf(process.pid), host: 'elsewhere' } });
  await expect(lock()).rejects.toThrow(/of host elsewhere .* if it is gone for certain, remove/);
});

test('a server that outlives its killed owner for a moment is waited for', async () => {
  const server = spawn('/bin/sh', ['-c', 'read -r _'], { stdio: ['pipe', 'ignore', 'ignore'] });
  holder({
    owner: { ...identityOf(process.pid), startedAt: '1' },
    server: identityOf(server.pid ?? 0),
  });
  const waiting = lock();
  let isHeld = false;
  void waiting.then(() => {
    isHeld = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isHeld).toBe(false);
  server.stdin.end();
  (await waiting).release();
});

test('a server that does not follow its owner is named, not overrun', async () => {
  holder({ owner: { ...identityOf(process.pid), startedAt: '1' }, server: identityOf(process.pid) });
  await expect(lock(50)).rejects.toThrow(`kill ${process.pid}`);
});

test('a damaged lock file says so and what to do', async () => {
  writeFileSync(path, '{"token":');
  await expect(lock()).rejects.toThrow(/lock file .* is damaged; if no Headgate runs .* remove it/);
  expect(readFileSync(path, 'utf8')).toBe('{"token":');
});

test('only the owner of the data can read the lock', async () => {
  const held = await lock();
  held.note({ url: 'nats://127.0.0.1:1', serverPid: process.pid });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  held.release();
});
