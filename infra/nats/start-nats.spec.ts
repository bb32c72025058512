import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectoryInUse, type EmbeddedNats, type StartNatsOptions, startNats } from '@headgate/embedded';
import { clientOf, eventually } from './nats-clients.js';

let dataDir: string;
const started: EmbeddedNats[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hg-nats-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((nats) => nats.stop()));
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(options: Partial<StartNatsOptions> = {}): Promise<EmbeddedNats> {
  const nats = await startNats({ dataDir, leaf: { root: 'up' }, ...options });
  started.push(nats);
  return nats;
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function appendToLog(nats: EmbeddedNats, subject: string): Promise<number> {
  const admin = await clientOf(nats.credentials('admin'));
  const control = await clientOf(nats.credentials('control'));
  await admin.jsm.streams.add({ name: 'LOG', subjects: ['hg.log.>'] });
  const { seq } = await control.js.publish(subject, 'x');
  await admin.nc.close();
  await control.nc.close();
  return seq;
}

test('it listens on loopback, with everything readable by its owner alone', async () => {
  const nats = await start();
  expect(nats.url).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
  expect(nats.leafUrl).toMatch(/^nats-leaf:\/\/127\.0\.0\.1:\d+$/);
  await nats.enrolVendor('acme');
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  for (const file of readdirSync(dataDir)) {
    expect([file, statSync(join(dataDir, file)).mode & 0o077]).toEqual([file, 0]);
  }
  expect(nats.urlFor('control')).toContain(`control:${nats.credentials('control').pass}@`);
});

test('a data directory that others could read is narrowed', async () => {
  rmSync(dataDir, { recursive: true });
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o755);
  await start();
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
});

test('ports, passwords, vendors and streams are the same after a stop and a start', async () => {
  const first = await start();
  const before = { url: first.url, leafUrl: first.leafUrl, control: first.credentials('control') };
  const bundle = await first.enrolVendor('acme');
  expect(await appendToLog(first, 'hg.log.p.flag.a')).toBe(1);
  await first.stop();
  const second = await start();
  expect({ url: second.url, leafUrl: second.leafUrl, control: second.credentials('control') }).toEqual(
    before,
  );
  expect(await second.enrolVendor('acme')).toEqual(bundle);
  expect(await appendToLog(second, 'hg.log.p.flag.b')).toBe(2);
});

test('a second start on the same data says who holds them and where, and disturbs nothing', async () => {
  const nats = await start();
  const refusal = await start().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DataDirectoryInUse);
  expect((refusal as DataDirectoryInUse).holder).toMatchObject({ pid: process.pid, url: nats.url });
  expect(await appendToLog(nats, 'hg.log.p.flag.a')).toBe(1);
});

test('stop ends the process, can be repeated, and gives the data free', async () => {
  const nats = await start();
  const { pid } = nats;
  await Promise.all([nats.stop(), nats.stop()]);
  expect(isAlive(pid)).toBe(false);
  expect(existsSync(join(dataDir, 'nats-server.lock'))).toBe(false);
  await start();
});

test('a server that is killed is reported, and restarted on the same port with all it had acknowledged', async () => {
  const exits: unknown[] = [];
  const nats = await start({ onExit: (exit) => exits.push(exit) });
  const { url, pid } = nats;
  expect(await appendToLog(nats, 'hg.log.p.flag.a')).toBe(1);
  process.kill(pid, 'SIGKILL');
  await eventually('the exit is reported', async () => exits.length > 0);
  expect(exits).toEqual([{ code: null, signal: 'SIGKILL' }]);
  expect(nats.isRunning()).toBe(false);
  await nats.restart();
  expect(nats.url).toBe(url);
  expect(nats.pid).not.toBe(pid);
  expect(await appendToLog(nats, 'hg.log.p.flag.b')).toBe(2);
  await nats.restart();
  await nats.stop();
  expect(exits).toHaveLength(1);
});

test('a port that somebody else has taken meanwhile is given up for another', async () => {
  const first = await start();
  const { url } = first;
  await first.stop();
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(Number(new URL(url).port), '127.0.0.1', resolve));
  try {
    const second = await start();
    expect(second.url).not.toBe(url);
  } finally {
    await new Promise((resolve) => squatter.close(resolve));
  }
});

test("a port asked for by number is used, or the start fails with the server's reason", async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
  const { port } = squatter.address() as { port: number };
  try {
    await expect(start({ port, leaf: undefined })).rejects.toThrow(/is taken:\n.*address already in use/s);
  } finally {
    await new Promise((resolve) => squatter.close(resolve));
  }
  expect((await start({ port, leaf: undefined })).url).toBe(`nats://127.0.0.1:${port}`);
});

test('a server that ends while it starts is an error with its own words', async () => {
  writeFileSync(join(dataDir, 'store'), 'not a folder');
  await expect(start()).rejects.toThrow(/ended while starting on .*; it said:\n.*\[FTL\].*not a directory/s);
  rmSync(join(dataDir, 'store'));
  await start();
});

test.each(['meta.inf', 'meta.sum'])(
  'a stream whose %s is damaged stops the start, with what and what to do, instead of vanishing',
  async (file) => {
    const nats = await start();
    await appendToLog(nats, 'hg.log.p.flag.a');
    await nats.stop();
    const path = join(dataDir, 'store', 'jetstream', 'HG', 'streams', 'LOG', file);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length / 2));
    await expect(start()).rejects.toThrow(/damaged: HG\/LOG cannot be read.*metafile.*headgate log restore/s);
    expect(readdirSync(join(dataDir, 'store', 'jetstream', 'HG', 'streams', 'LOG', 'msgs'))).not.toEqual([]);
    writeFileSync(path, whole);
    expect(await appendToLog(await start(), 'hg.log.p.flag.b')).toBe(2);
  },
);

test.each(['ports.json', 'links.json', 'credentials.json'])(
  'a damaged %s stops the start and stays as it is',
  async (file) => {
    const nats = await start();
    await nats.enrolVendor('acme');
    await nats.stop();
    writeFileSync(join(dataDir, file), '{"half');
    await expect(start()).rejects.toThrow(
      new RegExp(`${file} is damaged; restore it from a backup, or remove it`),
    );
    expect(readFileSync(join(dataDir, file), 'utf8')).toBe('{"half');
    rmSync(join(dataDir, file));
    await start();
  },
);

test('names that could break out of a subject are refused before anything changes', async () => {
  const nats = await start();
  for (const name of ['', 'a.b', 'a b', '*', '>', 'A', 'a"b', 'a\n', 'x'.repeat(65)]) {
    await expect(nats.enrolVendor(name)).rejects.toThrow(/must match \[a-z0-9_-\]/);
  }
  await nats.enrolVendor('acme');
  expect(JSON.parse(readFileSync(join(dataDir, 'links.json'), 'utf8')).vendors).toHaveLength(1);
});

test('randomness is handed in, for secrets at least', async () => {
  const nats = await start({ random: (bytes) => Buffer.alloc(bytes, 1) });
  expect(nats.credentials('control').pass).toBe(Buffer.alloc(32, 1).toString('base64url'));
});
