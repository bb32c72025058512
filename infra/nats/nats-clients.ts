import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { NatsCredentials } from '@headgate/embedded';
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** One connection with everything a spec asks of it. */
export interface Client {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
}

export async function clientOf(credentials: NatsCredentials): Promise<Client> {
  const nc = await connect({
    ...credentials,
    timeout: 5_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
  });
  return {
    nc,
    js: jetstream(nc, { timeout: 2_000 }),
    jsm: await jetstreamManager(nc, { checkAPI: false, timeout: 2_000 }),
  };
}

/** What became of an attempt: `done`, or the server's refusal in its own words. */
export async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export async function eventually<T>(what: string, look: () => Promise<T | false | undefined>): Promise<T> {
  for (let i = 0; i < 500; i++) {
    const seen = await look();
    if (seen !== false && seen !== undefined) return seen;
    await wait(20);
  }
  throw new Error(`did not happen: ${what}`);
}

/** Runs nats-server on a configuration text, for controls: settings that the product never renders. */
export async function serveText(
  program: string,
  text: string,
  port: number,
): Promise<{ readonly stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'hg-control-'));
  const file = join(folder, 'nats-server.conf');
  writeFileSync(file, text);
  const server = spawn(program, ['-c', file], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  await eventually('the server listens', async () => {
    if (server.exitCode !== null) throw new Error(`nats-server refused ${text}`);
    return canConnect(port);
  });
  return {
    stop: async () => {
      server.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
