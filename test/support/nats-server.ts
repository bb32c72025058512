import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A nats-server for the specs of libs below libs/embedded, which may not use `startNats`: one account, no permissions, and
 * handles on what a spec does to it: kill -9, start again on the same port and data, run under another program, copy its data.
 */
export interface SpecServer {
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** With the server stopped: keep a copy of its data, or put one back. */
  copyData(to: string): void;
  restoreData(from: string): void;
  clearData(): void;
  /** Kills it and removes its data. */
  remove(): Promise<void>;
}

export interface SpecServerOptions {
  /** nats-server's `sync_interval`; `null` leaves the server's own default. */
  readonly sync?: 'always' | null;
  /** Program and arguments to run it under, as strace. */
  readonly under?: readonly string[];
  readonly monitor?: boolean;
  readonly jetstream?: boolean;
  readonly domain?: string;
  /** More lines for its configuration. */
  readonly config?: string;
}

export const startSpecServer = async (options: SpecServerOptions = {}): Promise<SpecServer> => {
  const root = mkdtempSync(join(tmpdir(), 'hg-nats-'));
  const dataDir = join(root, 'data');
  mkdirSync(dataDir);
  const port = await freePort();
  const sync = options.sync === undefined ? 'always' : options.sync;
  writeFileSync(
    join(root, 'nats.conf'),
    [
      `server_name: spec`,
      `listen: "127.0.0.1:${port}"`,
      ...(options.monitor ? ['http: "127.0.0.1:-1"'] : []),
      options.jetstream === false
        ? ''
        : [
            `jetstream { store_dir: ${JSON.stringify(dataDir)}`,
            ...(sync === null ? [] : [`sync_interval: ${sync}`]),
            ...(options.domain === undefined ? [] : [`domain: ${options.domain}`]),
            '}',
          ].join('\n'),
      options.config ?? '',
    ].join('\n'),
  );
  let child: ChildProcess | null = null;
  const [program, ...before] = [...(options.under ?? []), binary()];

  const kill = async (): Promise<void> => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    // Under strace the server is the tracer's child, and outlives it.
    const serverPid = pidOf(root);
    if (serverPid !== null) process.kill(serverPid, 'SIGKILL');
    else running.kill('SIGKILL');
    await gone;
  };
  const start = async (): Promise<void> => {
    rmSync(join(root, 'pid'), { force: true });
    const args = [...before, '-c', join(root, 'nats.conf'), '-P', join(root, 'pid')];
    const log: string[] = [];
    child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      child?.stderr?.on('data', (chunk: Buffer) => {
        log.push(String(chunk));
        if (log.join('').includes('Server is ready')) resolve();
      });
      child?.once('error', reject);
      child?.once('exit', (code) => reject(new Error(`nats-server ended with ${code}: ${log.join('')}`)));
    });
  };
  const server: SpecServer = {
    url: `nats://127.0.0.1:${port}`,
    dataDir,
    get pid() {
      return pidOf(root) ?? -1;
    },
    kill,
    start,
    copyData: (to) => cpSync(dataDir, to, { recursive: true }),
    restoreData: (from) => {
      rmSync(dataDir, { recursive: true });
      cpSync(from, dataDir, { recursive: true });
    },
    clearData: () => {
      rmSync(dataDir, { recursive: true });
      mkdirSync(dataDir);
    },
    remove: async () => {
      await kill();
      rmSync(root, { recursive: true, force: true });
    },
  };
  await start();
  return server;
};

const pidOf = (root: string): number | null => {
  const path = join(root, 'pid');
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : null;
};

const binary = (): string => {
  const named = process.env.HEADGATE_NATS_BIN;
  if (named) return named;
  // From test/support and, compiled, from test/dist/support.
  const fetched = ['../../', '../../../']
    .map((up) => fileURLToPath(new URL(`${up}.cache/nats/nats-server`, import.meta.url)))
    .find((path) => existsSync(path));
  if (fetched === undefined) throw new Error('nats-server is not there: run `npm run bootstrap` first');
  return fetched;
};

/** The server must come back on its port, so it cannot let the kernel choose anew: ask the kernel once, here. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
