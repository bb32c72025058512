import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { endOf, outputSince } from '../process/output-since.js';
import { type Supervised, supervise } from '../process/supervise.js';
import { isAtLeast, NATS_FLOOR, type NatsServerProgram } from './find-nats-server.js';
import { lostStreams } from './lost-streams.js';
import type { NatsHome } from './nats-home.js';
import { SYSTEM_USER } from './roles.js';
import { serverHello } from './server-hello.js';

export interface NatsRun extends Supervised {
  readonly version: string;
  /** Has the server read its configuration again; throws with its reason when it will not have it. */
  readonly reload: () => Promise<void>;
}

export interface NatsRunOptions {
  readonly program: NatsServerProgram;
  readonly home: NatsHome;
  readonly serverName: string;
  readonly host: string;
  readonly port: number;
  readonly readyTimeoutMs: number;
  readonly now: () => number;
}

/** Somebody else listens on a port this server was to have. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

/** A clean end takes nats-server a few hundred milliseconds; with large streams to sync it may take seconds. */
const GRACE_MS = 15_000;
/**
 * A sound store is read block by block in some hundred megabytes, whatever its size. A damaged sequence number in a block makes the
 * server note every number up to it as deleted, until the machine has no memory left (seen with 2.15.1: 9 GB in ten seconds).
 */
const STARTING_MEMORY_BYTES = 2 * 1024 ** 3;

/** Starts nats-server on a configuration already written and waits until it takes connections with JetStream. */
export async function runNatsServer(options: NatsRunOptions): Promise<NatsRun> {
  const { program, home, now } = options;
  const marks = { log: endOf(home.log), output: endOf(home.output) };
  const said = () => `${outputSince(home.output, marks.output)}${outputSince(home.log, marks.log)}`;
  const server = await supervise({
    program: program.path,
    args: ['-c', home.config],
    outputFile: home.output,
    stopSignal: 'SIGTERM',
    graceMs: GRACE_MS,
  });
  try {
    const version = await ready(server, options, said);
    await assertWhole(options, said);
    return { ...server, version, reload: () => reload(server.pid, home, now) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function ready(server: Supervised, options: NatsRunOptions, said: () => string): Promise<string> {
  const { host, port, serverName, now, readyTimeoutMs, home } = options;
  const giveUpAt = now() + readyTimeoutMs;
  for (;;) {
    if (!server.isRunning()) throw startFailure(said(), options);
    const hello = await serverHello(host, port, 2_000);
    if (hello && hello.serverName !== serverName) {
      throw new PortTaken(`port ${port} of ${host} belongs to another nats-server (${hello.serverName})`);
    }
    if (hello) {
      if (!isAtLeast(hello.version, NATS_FLOOR)) {
        throw new Error(
          `nats-server ${hello.version} is older than ${NATS_FLOOR}; run \`npm run bootstrap\` for a newer one`,
        );
      }
      if (!hello.jetStream)
        throw new Error(`nats-server runs without JetStream; its log is ${home.log}:\n${said()}`);
      return hello.version;
    }
    if (now() > giveUpAt) {
      throw new Error(
        `nats-server (process ${server.pid}) did not answer on ${host}:${port} within ${readyTimeoutMs} ms; its log is ${home.log}:\n${lastLines(said())}`,
      );
    }
    if (memoryOf(server.pid) > STARTING_MEMORY_BYTES) {
      // Not asked to end: it would take as much again before it listens.
      process.kill(server.pid, 'SIGKILL');
      const named = [...said().matchAll(/\S+\/jetstream\/[^/\s]+\/streams\/[^/\s]+/g)].map(
        ([folder]) => folder,
      );
      const folders = named.length > 0 ? [...new Set(named)] : ['the stream that it was reading'];
      throw damaged('it takes gigabytes to read them', folders, { home, said });
    }
    await wait(20);
  }
}

async function assertWhole({ home, host, port }: NatsRunOptions, said: () => string): Promise<void> {
  const lost = await lostStreams(home.store, {
    host,
    port,
    user: SYSTEM_USER,
    password: home.passwords[SYSTEM_USER],
  });
  if (lost.length === 0) return;
  const folders = lost.map((name) => join(home.store, 'jetstream', name.replace('/', '/streams/')));
  throw damaged(`${lost.join(', ')} cannot be read`, folders, { home, said });
}

function damaged(
  what: string,
  folders: readonly string[],
  { home, said }: { readonly home: NatsHome; readonly said: () => string },
): Error {
  const complaints = said()
    .split('\n')
    .filter((line) => /\[(WRN|ERR)\]/.test(line) && !line.includes('Plaintext passwords'));
  return new Error(
    `nats-server data in ${home.dataDir} are damaged: ${what}. The server said:\n${complaints.slice(-5).join('\n')}\nRestore ${home.store} from a backup, or move ${folders.join(' and ')} away, start again, and bring the log back with \`headgate log restore\`.`,
  );
}

function startFailure(said: string, { home, host, port }: NatsRunOptions): Error {
  const telling = said.split('\n').filter((line) => /\[FTL\]|\[ERR\]|^nats-server:|panic/.test(line));
  const reason = telling.length > 0 ? telling.slice(-5).join('\n') : lastLines(said);
  if (/address already in use/.test(said)) return new PortTaken(`${host}:${port} is taken:\n${reason}`);
  return new Error(
    `nats-server ended while starting on ${home.dataDir}; it said:\n${reason || '(nothing)'}\nThe whole log: ${home.log}`,
  );
}

async function reload(pid: number, home: NatsHome, now: () => number): Promise<void> {
  const marks = { log: endOf(home.log), output: endOf(home.output) };
  process.kill(pid, 'SIGHUP');
  const giveUpAt = now() + 10_000;
  while (now() < giveUpAt) {
    const said = `${outputSince(home.output, marks.output)}${outputSince(home.log, marks.log)}`;
    if (said.includes('Reloaded server configuration')) return;
    const failure = /Failed to reload server configuration: (.*)/.exec(said);
    if (failure) throw new Error(`nats-server keeps its former configuration: ${failure[1]}`);
    await wait(10);
  }
  throw new Error(
    `nats-server (process ${pid}) did not say within 10 s that it read ${home.config} again; see ${home.log}`,
  );
}

const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-10).join('\n');

/** Resident memory; 0 where it cannot be seen. */
function memoryOf(pid: number): number {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
