import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Api, openApi } from './api.js';

/** What `npm start` says of itself once it serves (HEADGATE_READY_FILE). */
interface Ready {
  readonly url: string;
  readonly adminToken: string;
  readonly ingestToken: string;
  readonly rootPin: string;
}

export interface Installation extends Ready {
  readonly name: string;
  readonly api: Api;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const LOOK_MS = 50;

/** Starts a whole Headgate as its own process tree: own nats-server, own Postgres, own data directory. */
export const startInstallation = async (
  name: string,
  dataDir: string,
  upstreamBundle?: unknown,
): Promise<Installation> => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const readyFile = `${dataDir}/ready.json`;
  const args = ['--data-dir', dataDir, '--port', '0'];
  if (upstreamBundle !== undefined) {
    writeFileSync(`${dataDir}/upstream.json`, JSON.stringify(upstreamBundle), { mode: 0o600 });
    args.push('--upstream', `${dataDir}/upstream.json`);
  }
  const log: string[] = [];
  const child = spawn(process.execPath, [standaloneMain(), ...args], {
    env: { ...process.env, HEADGATE_READY_FILE: readyFile },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own group: Ctrl-C reaches the demo only, which then stops everything in order.
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      log.push(part.toString());
      if (log.length > 200) log.shift();
    });
  const ready = await waitForReady(child, readyFile, name, log);
  return { ...ready, name, api: openApi(ready.url, ready.adminToken), stop: () => stop(child) };
};

/** Built beside this app; spawned, never imported. */
const standaloneMain = (): string =>
  fileURLToPath(new URL('../../../standalone/dist/main.js', import.meta.url));

const waitForReady = async (
  child: ChildProcess,
  file: string,
  name: string,
  log: string[],
): Promise<Ready> => {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) break;
    if (existsSync(file)) {
      const text = readFileSync(file, 'utf8');
      if (text.endsWith('}\n')) return JSON.parse(text) as Ready;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await stop(child);
  throw new Error(
    `${name} did not start${child.exitCode === null ? ' in time' : ` (exit ${child.exitCode})`}:\n${log.join('').slice(-4_000)}`,
  );
};

const stop = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
