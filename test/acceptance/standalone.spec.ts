import { type ChildProcess, spawn } from 'node:child_process';
import {
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
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '../../apps/cli/src/index.js';
import { terminalIn } from '../../apps/cli/src/terminal.fixture.js';
import type { Ready } from '../../apps/standalone/src/installation/ready.js';

const MAIN = resolve('apps/standalone/dist/main.js');
const START_MS = 120_000;

let folder: string;
let dataDir: string;
const children = new Set<ChildProcess>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hg-one-'));
  dataDir = join(folder, '.headgate');
});
afterAll(async () => {
  await Promise.all([...children].map((child) => stop(child)));
  rmSync(folder, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly said: { out: string; err: string };
}

const start = (args: readonly string[], env: Record<string, string> = {}): Started => {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { ...process.env, HEADGATE_DATA_DIR: '', HEADGATE_READY_FILE: '', DATABASE_URL: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const said = { out: '', err: '' };
  child.stdout?.on('data', (part: Buffer) => {
    said.out += part.toString();
  });
  child.stderr?.on('data', (part: Buffer) => {
    said.err += part.toString();
  });
  const ended = new Promise<number | null>((done) => {
    child.on('close', (code) => {
      children.delete(child);
      done(code);
    });
  });
  return { child, ended, said };
};

const stop = async (child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((done) => {
    child.once('exit', done);
    child.kill(signal);
  });
};

/** Starts, and waits for the ready file or the end. */
const serve = async (...args: readonly string[]): Promise<Started & { ready: Ready }> => {
  const readyFile = join(folder, 'ready.json');
  rmSync(readyFile, { force: true });
  const started = start(['--data-dir', dataDir, '--ready-file', readyFile, ...args]);
  let isOver = false;
  void started.ended.then(() => {
    isOver = true;
  });
  while (!existsSync(readyFile)) {
    if (isOver) throw new Error(`did not start:\n${started.said.err}`);
    await new Promise((later) => setTimeout(later, 50));
  }
  expect(statSync(readyFile).mode & 0o777).toBe(0o600);
  return { ...started, ready: JSON.parse(readFileSync(readyFile, 'utf8')) as Ready };
};

const headgate = async (line: string, token = ''): Promise<{ exit: number; out: string; err: string }> => {
  const { terminal, out, err } = terminalIn(folder, { HEADGATE_TOKEN: token });
  const exit = await run(line.split(' '), terminal, '0.0.0');
  return { exit, out: out(), err: err() };
};

/** Ids of processes whose command line names our data: servers and their watchdogs. */
const left = (): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
      } catch {
        return false;
      }
    });

const nobodyLeft = async (): Promise<void> => {
  for (let tries = 0; left().length > 0; tries++) {
    if (tries > 600) throw new Error(`left behind: ${left().join(', ')}`);
    await new Promise((later) => setTimeout(later, 50));
  }
};

describe('npm start', () => {
  let first: Ready;
  let token: string;

  it(
    'starts everything, shows an admin token and the next command, and keeps its data to its user',
    async () => {
      const { ready, child, ended, said } = await serve();
      first = ready;
      token = ready.adminToken ?? '';
      expect(token).toMatch(/^hg_/);
      while (!said.out.includes('project create')) await new Promise((later) => setTimeout(later, 20));
      for (const text of [ready.url, token, ready.rootPin, 'export HEADGATE_TOKEN='])
        expect(said.out).toContain(text);
      expect(said.err).not.toContain(token);
      for (const path of ['.', 'keys', 'run', 'nats', 'postgres']) {
        expect([path, (statSync(join(dataDir, path)).mode & 0o777).toString(8)]).toEqual([path, '700']);
      }
      // The command line finds the server by itself, because it runs where the data are.
      expect((await headgate('project create web --why first', token)).out).toBe('project/web\n');
      expect((await headgate('channel create stable --why first', token)).exit).toBe(0);
      expect((await headgate('flag create fast --why first', token)).exit).toBe(0);
      const metrics = await (await fetch(`${ready.url}/metrics`)).text();
      expect(metrics).toContain('headgate_http_request_seconds');
      expect((await fetch(`${ready.url}/healthz`)).status).toBe(200);

      const second = start(['--data-dir', dataDir]);
      expect(await second.ended).toBe(1);
      expect(second.said.err).toContain(`in use by process ${child.pid}`);
      expect(second.said.err).toContain(ready.url);
      expect(second.said.err).not.toMatch(/^\s+at /m);
      expect((await fetch(`${ready.url}/readyz`)).status).toBe(200);

      child.kill('SIGINT');
      expect(await ended).toBe(0);
      expect(left()).toEqual([]);
    },
    START_MS,
  );

  it(
    'comes back on the same address with the same data, and shows no token again',
    async () => {
      const { ready, child, ended } = await serve();
      expect(ready).toMatchObject({
        url: first.url,
        rootPin: first.rootPin,
        ingestToken: first.ingestToken,
        adminToken: null,
      });
      expect((await headgate('flag list -o name', token)).out).toBe('flag/fast\n');
      const recovered = await headgate('token recover');
      expect(recovered.out).toMatch(/^hg_/);
      expect((await headgate('whoami', recovered.out.trim())).out).toMatch(/^admin of all projects/);
      const doctor = await headgate('doctor -o json', token);
      const { checks } = JSON.parse(doctor.out) as { checks: { name: string; ok: boolean | null }[] };
      expect(checks).toContainEqual(
        expect.objectContaining({ name: 'sync before acknowledgement', ok: true }),
      );
      expect(doctor.exit).toBe(0);
      // Killed, it leaves nothing running and nothing locked.
      child.kill('SIGKILL');
      await ended;
      await nobodyLeft();
    },
    START_MS,
  );

  it(
    'says what to do when the log is lost, and gets it back from its archive without a token',
    async () => {
      renameSync(join(dataDir, 'nats/store/jetstream/HG/streams/LOG'), join(folder, 'LOG.lost'));
      const { child, ended } = await serve();
      expect(
        (await headgate('flag kill fast --why x --yes --project web --channel stable', token)).exit,
      ).toBe(5);
      const refused = await headgate('token recover');
      expect([refused.exit, refused.err]).toEqual([1, expect.stringContaining('headgate log restore')]);
      expect((await headgate('doctor --data-dir .headgate')).exit).toBe(3);
      const restored = await headgate('log restore --data-dir .headgate --why disk -o json');
      expect(JSON.parse(restored.out)).toMatchObject({ ok: true, events: 5 });
      expect(JSON.parse((await headgate('log verify -o json', token)).out)).toMatchObject({
        ok: true,
        events: 5,
        faults: [],
      });
      const killed = await headgate('flag kill fast --why works --yes', token);
      expect([killed.exit, killed.out]).toEqual([0, 'flag/fast\n']);
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      expect(left()).toEqual([]);
    },
    START_MS,
  );
});

describe('npm start refuses, in a sentence and with nothing left behind,', () => {
  const refusal = async (
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ exit: number | null; err: string }> => {
    const { ended, said } = start(['--data-dir', join(folder, 'other'), ...args], env);
    const exit = await ended;
    expect(said.err).not.toContain(join(folder, 'other', 'nats', 'nats-server.conf'));
    return { exit, err: said.err };
  };

  it.each<[string, readonly string[], Record<string, string>, RegExp]>([
    ['an option nobody knows', ['--nonsense'], {}, /Unknown option '--nonsense'/],
    ['a port that is none', ['--port', 'x'], {}, /HEADGATE_HTTP_PORT: .*expected number/],
    ['a wrong variable', [], { HEADGATE_LEAF_PORT: '70000' }, /HEADGATE_LEAF_PORT: /],
    ['a bundle that is not there', ['--upstream', 'nowhere.json'], {}, /--upstream nowhere.json: ENOENT/],
  ])('%s', async (_what, args, env, says) => {
    const { exit, err } = await refusal(args, env);
    expect(err).toMatch(says);
    expect(err).not.toMatch(/^\s+at /m);
    expect(exit).toBe(4);
  });

  it('a configuration file with unknown or wrong fields, naming each', async () => {
    mkdirSync(join(folder, 'other'), { recursive: true });
    writeFileSync(join(folder, 'other', 'config.json'), '{"httpPort": "many", "colour": "red"}');
    const { exit, err } = await refusal([]);
    rmSync(join(folder, 'other', 'config.json'));
    expect([exit, err]).toEqual([4, expect.stringMatching(/colour[\s\S]*httpPort/)]);
  });

  it(
    'a port that somebody else has',
    async () => {
      const other = createServer();
      await new Promise<void>((done) => other.listen(0, '127.0.0.1', () => done()));
      const { port } = other.address() as { port: number };
      const { exit, err } = await refusal(['--port', String(port)]);
      await new Promise((done) => other.close(done));
      expect([exit, err]).toEqual([1, expect.stringContaining(`port ${port} of 127.0.0.1 is in use`)]);
      await nobodyLeft();
    },
    START_MS,
  );
});
