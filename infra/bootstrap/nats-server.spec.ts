import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootstrapFailure } from './failure.mjs';
import { NATS_FLOOR, natsVersion, type Origin, resolveNatsServer } from './nats-server.mjs';

describe('nats-server is resolved', () => {
  let root: string;
  let cacheDir: string;
  let said: string[];
  let asked: string[];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'headgate-nats-'));
    cacheDir = join(root, 'cache');
    said = [];
    asked = [];
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** A program that answers -v as nats-server does; the real probe runs it. */
  const program = (folder: string, version: string) => {
    mkdirSync(join(root, folder), { recursive: true });
    const path = join(root, folder, 'nats-server');
    writeFileSync(path, script(version));
    chmodSync(path, 0o755);
    return path;
  };
  const script = (version: string) => `#!/bin/sh\necho "nats-server: v${version}"\n`;
  const origin = (name: string, version: string | Error): Origin => ({
    name,
    fetchTo: async (to) => {
      asked.push(name);
      if (version instanceof Error) throw version;
      writeFileSync(to, script(version));
    },
  });
  const resolve = (env: NodeJS.ProcessEnv = {}, origins: readonly Origin[] = []) =>
    resolveNatsServer({ cacheDir, env, origins, say: (line) => said.push(line) });
  const inCache = () => natsVersion(join(cacheDir, 'nats-server'));

  test('to the chosen one before all others', async () => {
    program('cache', '2.15.1');
    const path = program('mine', '2.14.0');
    expect(await resolve({ HEADGATE_NATS_BIN: path })).toEqual({ path, version: '2.14.0' });
  });

  test('with an error when the chosen one is too old, whatever else there is', async () => {
    program('cache', '2.15.1');
    const failure = resolve({ HEADGATE_NATS_BIN: program('mine', '2.13.9') });
    await expect(failure).rejects.toThrow(`is 2.13.9, older than ${NATS_FLOOR}`);
    await expect(failure).rejects.toBeInstanceOf(BootstrapFailure);
  });

  test('with an error when the chosen one does not run', async () => {
    await expect(resolve({ HEADGATE_NATS_BIN: join(root, 'nothing') })).rejects.toThrow('does not run');
  });

  test('to the copy in the cache before PATH and the network', async () => {
    program('cache', '2.14.0');
    const PATH = join(root, 'bin');
    program('bin', '2.15.1');
    expect(await resolve({ PATH }, [origin('network', '2.16.0')])).toMatchObject({ version: '2.14.0' });
    expect(asked).toEqual([]);
    expect(said).toEqual([]);
  });

  test('to the first one in PATH that is new enough, past older ones', async () => {
    const PATH = [program('old', '2.9.10'), program('new', '2.15.1')]
      .map((path) => join(path, '..'))
      .join(':');
    const found = await resolve({ PATH }, [origin('network', '2.16.0')]);
    expect(found).toEqual({ path: join(cacheDir, 'nats-server'), version: '2.15.1' });
    expect(asked).toEqual([]);
    expect(said).toEqual([
      `nats-server: not from ${join(root, 'old', 'nats-server')}: it is 2.9.10, older than ${NATS_FLOOR}`,
      `nats-server 2.15.1 from ${join(root, 'new', 'nats-server')}`,
    ]);
  });

  test('from the network in turn, until one is new enough and runs', async () => {
    const origins = [
      origin('release', new Error('fetch failed')),
      origin('trixie', '2.10.27'),
      { name: 'broken', fetchTo: async (to: string) => writeFileSync(to, 'not a program') },
      origin('forky', '2.15.1'),
      origin('sid', '2.16.0'),
    ];
    expect(await resolve({}, origins)).toMatchObject({ version: '2.15.1' });
    expect(asked).toEqual(['release', 'trixie', 'forky']);
    expect(inCache()).toBe('2.15.1');
  });

  test('a copy that is too old or damaged is replaced', async () => {
    program('cache', '2.10.27');
    expect(await resolve({}, [origin('forky', '2.15.1')])).toMatchObject({ version: '2.15.1' });
    writeFileSync(join(cacheDir, 'nats-server'), 'cut off');
    expect(await resolve({}, [origin('forky', '2.15.2')])).toMatchObject({ version: '2.15.2' });
  });

  test('the last good copy stays when a refresh finds nothing that runs', async () => {
    program('cache', '2.15.1');
    const before = readFileSync(join(cacheDir, 'nats-server'));
    const broken = { name: 'broken', fetchTo: async (to: string) => writeFileSync(to, 'not a program') };
    const env = { HEADGATE_NATS_REFRESH: '1' };
    expect(await resolve(env, [broken, origin('older', '2.9.10')])).toMatchObject({ version: '2.15.1' });
    expect(readFileSync(join(cacheDir, 'nats-server'))).toEqual(before);
    expect(await resolve(env, [origin('newer', '2.16.0')])).toMatchObject({ version: '2.16.0' });
  });

  test('to a failure that names every place asked and what to do next', async () => {
    const failure = resolve({}, [origin('release', new Error('no route')), origin('forky', '2.13.0')]);
    await expect(failure).rejects.toThrow(/release: no route\n.*forky: it is 2\.13\.0/);
    await expect(failure).rejects.toMatchObject({
      next: expect.arrayContaining([expect.stringContaining('HEADGATE_NATS_BIN')]),
    });
    expect(existsSync(join(cacheDir, 'nats-server'))).toBe(false);
  });
});
