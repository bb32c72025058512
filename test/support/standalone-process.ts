import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

/** A whole installation in a process tree of its own, as `npm start` starts it; built, not from source. */
export interface StandaloneProcess {
  readonly url: string;
  readonly adminToken: string;
  readonly ingestToken: string;
  readonly rootPin: string;
  readonly pid: number;
  /** Calls the API with the admin token; throws what is not 2xx. */
  call<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 20_000;
/** From source and from `test/dist` alike: the nearest `apps/standalone` on the way up. */
const mainIn = (folder: string): string => {
  const main = join(folder, 'apps', 'standalone', 'dist', 'main.js');
  return existsSync(main) || folder === dirname(folder) ? main : mainIn(dirname(folder));
};
const MAIN = mainIn(dirname(fileURLToPath(import.meta.url)));

export const startStandaloneProcess = async (
  dataDir: string,
  upstreamBundle?: unknown,
): Promise<StandaloneProcess> => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const readyFile = `${dataDir}/ready.json`;
  rmSync(readyFile, { force: true });
  const bundleFile = `${dataDir}/upstream.json`;
  if (upstreamBundle !== undefined)
    writeFileSync(bundleFile, JSON.stringify(upstreamBundle), { mode: 0o600 });
  const child = spawn(
    process.execPath,
    [
      MAIN,
      '--data-dir',
      dataDir,
      '--port',
      '0',
      '--ready-file',
      readyFile,
      ...(upstreamBundle === undefined ? [] : ['--upstream', bundleFile]),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (part: Buffer) => {
    log = (log + part.toString()).slice(-20_000);
  });
  try {
    const deadline = Date.now() + 90_000;
    while (!existsSync(readyFile) && child.exitCode === null && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50));
    if (child.exitCode !== null) throw new Error(`exit code ${child.exitCode}`);
    const ready = await until('a whole ready file', () => parsed(readyFile));
    const { url, adminToken } = ready;
    return { ...ready, pid: child.pid ?? 0, call: caller(url, adminToken), stop: () => stop(child) };
  } catch (cause) {
    await stop(child);
    throw new Error(`the installation did not start:\n${log}`, { cause });
  }
};

type Ready = Pick<StandaloneProcess, 'url' | 'adminToken' | 'ingestToken' | 'rootPin'>;

const parsed = (file: string): Ready | null => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Ready;
  } catch {
    return null;
  }
};

const caller =
  (url: string, token: string): StandaloneProcess['call'] =>
  async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
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
