import { existsSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { endOf, outputSince } from '../process/output-since.js';
import { type Supervised, supervise } from '../process/supervise.js';
import { POSTGRES_ENV } from './create-cluster.js';
import type { PostgresProgram } from './find-postgres.js';
import { type PostgresHome, repairAdvice } from './postgres-home.js';
import type { Unprivileged } from './unprivileged.js';

export interface PostgresRunOptions {
  readonly program: PostgresProgram;
  readonly as: Unprivileged;
  readonly home: PostgresHome;
  readonly durable: boolean;
  readonly readyTimeoutMs: number;
  readonly now: () => number;
}

/** SIGINT is Postgres' fast shutdown: sessions are ended, a checkpoint is written. */
const GRACE_MS = 30_000;

/** Backends of a postmaster that was killed let go of its shared memory within moments; until then it cannot start again. */
const LEFTOVER = /pre-existing shared memory block|lock file .* already exists/;

/** Serves a cluster on its socket and waits until it takes connections. */
export async function runPostgres(options: PostgresRunOptions): Promise<Supervised> {
  const { now } = options;
  const giveUpAt = now() + 10_000;
  for (;;) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (!(error instanceof Error) || !LEFTOVER.test(error.message) || now() > giveUpAt) throw error;
      await wait(100);
    }
  }
}

async function startOnce(options: PostgresRunOptions): Promise<Supervised> {
  const { program, as, home, durable } = options;
  removeStalePidFile(home);
  const mark = endOf(home.output);
  const command = as.command(join(program.bin, 'postgres'), ['-D', home.cluster, ...settings(home, durable)]);
  const server = await supervise({
    ...command,
    env: POSTGRES_ENV,
    cwd: home.dataDir,
    uid: as.uid,
    gid: as.gid,
    outputFile: home.output,
    stopSignal: 'SIGINT',
    graceMs: GRACE_MS,
  });
  try {
    await ready(server, options, () => outputSince(home.output, Math.min(mark, endOf(home.output))));
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function settings(home: PostgresHome, durable: boolean): string[] {
  const wanted = {
    listen_addresses: '',
    unix_socket_directories: home.sockets,
    unix_socket_permissions: '0700',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // the output file is not rotated: keep out of it what comes with every checkpoint and every refused statement
    log_checkpoints: 'off',
    log_min_error_statement: 'panic',
    fsync: durable ? 'on' : 'off',
    synchronous_commit: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
  };
  return Object.entries(wanted).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function ready(server: Supervised, options: PostgresRunOptions, said: () => string): Promise<void> {
  const { home, now, readyTimeoutMs } = options;
  const giveUpAt = now() + readyTimeoutMs;
  for (;;) {
    const status = pidFile(home);
    if (status?.pid === server.pid && status.state === 'ready') return;
    if (!server.isRunning()) throw startFailure(said(), options);
    if (now() > giveUpAt) {
      throw new Error(
        `Postgres (process ${server.pid}) was not ready within ${readyTimeoutMs} ms; its log is ${home.output}:\n${said()}`,
      );
    }
    await wait(20);
  }
}

function startFailure(said: string, { home, as }: PostgresRunOptions): Error {
  // most of what is logged as LOG tells how the start went on; the cause of a bad configuration file is logged as LOG too
  const telling = said
    .split('\n')
    .filter((line) => line.trim() !== '' && (!/ LOG: /.test(line) || /error/.test(line)));
  const reason = telling.slice(-8).join('\n');
  return new Error(
    `Postgres ended while starting on ${home.cluster}; it said:\n${reason || '(nothing)'}\n${repairAdvice(home.cluster)} The whole log: ${home.output}${as.hint}`,
  );
}

/**
 * Postgres takes a pid file for stale only when no process has that id. After a crash the id may be somebody else's by
 * now; who holds our lock on the data directory knows that no server runs on it, unless the process is a Postgres.
 */
function removeStalePidFile(home: PostgresHome): void {
  const status = pidFile(home);
  if (!status) return;
  if (!existsSync('/proc/self/exe')) return;
  let program = '';
  try {
    program = basename(readlinkSync(`/proc/${status.pid}/exe`));
  } catch {
    // no such process, or not ours to see
  }
  if (!program.startsWith('postgres')) rmSync(join(home.cluster, 'postmaster.pid'), { force: true });
}

/** Line 1 is the postmaster's process id, line 8 how far it is; pg_ctl reads the same. */
function pidFile(home: PostgresHome): { readonly pid: number; readonly state: string } | null {
  try {
    const lines = readFileSync(join(home.cluster, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number.parseInt(lines[0] ?? '', 10), state: (lines[7] ?? '').trim() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
