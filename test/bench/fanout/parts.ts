import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '../../support/until.js';
import type { FromBare, FromClients, ToBare, ToClients } from './messages.js';

/** Processes of the bench, and everything else that has to end with it. */
const ends: (() => Promise<unknown> | unknown)[] = [];
export const later = <T>(part: T, end: (part: T) => Promise<unknown> | unknown): T => {
  ends.unshift(() => end(part));
  return part;
};
export const endAll = async (): Promise<void> => {
  for (const end of ends.splice(0)) await end();
};

export interface Server {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const gone = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

const GATEWAY = fileURLToPath(new URL('../../../../apps/gateway/dist/main.js', import.meta.url));

/** A gateway as it is run for real, in a process of its own. */
export const startGateway = async (env: Readonly<Record<string, string>>): Promise<Server> => {
  const child = spawn(process.execPath, [GATEWAY], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (part: Buffer) => {
    errors = (errors + part.toString()).slice(-4_000);
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await gone(child);
  };
  later(child, stop);
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = line.startsWith('{"ready"') ? JSON.parse(line) : null;
      if (said) resolve(said.url);
    });
    child.once('exit', (code) => reject(new Error(`gateway ended with ${code}: ${errors}`)));
  });
  await until('a gateway that serves', () => isServing(url, env.HEADGATE_TLS_CERT_PATH));
  return { url, pid: child.pid ?? 0, stop };
};

const isServing = (url: string, certFile: string | undefined): Promise<boolean> =>
  new Promise((resolve) => {
    const { get } = certFile ? https : http;
    get(`${url}/readyz`, { agent: false, ...(certFile ? { ca: readFileSync(certFile) } : {}) }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).on('error', () => resolve(false));
  });

export interface Bare extends Server {
  write(bytes: Buffer): void;
}

export const startBare = async (): Promise<Bare> => {
  const child = fork(new URL('./bare.js', import.meta.url));
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await gone(child);
  };
  later(child, stop);
  const { url } = await new Promise<FromBare>((resolve) => child.once('message', resolve as () => void));
  return {
    url,
    pid: child.pid ?? 0,
    stop,
    write: (bytes) => child.send({ type: 'write', bytes: bytes.toString('latin1') } satisfies ToBare),
  };
};

/** Client processes that share the work. */
export class Crowd {
  private readonly children: readonly ChildProcess[];

  constructor(processes: number) {
    this.children = Array.from({ length: processes }, () => {
      const child = fork(new URL('./clients.js', import.meta.url));
      child.setMaxListeners(100);
      later(child, async () => {
        if (child.connected) child.disconnect();
        await gone(child);
      });
      return child;
    });
  }

  async open(url: string, clients: number, ca?: string): Promise<number> {
    const said = await this.tell(
      (count) => ({ type: 'open', url, count, atOnce: 50, ...(ca ? { ca } : {}) }),
      clients,
      'open',
    );
    return Math.max(...said.map((answer) => (answer.type === 'open' ? answer.openedMs : 0)));
  }

  async stall(clients: number): Promise<void> {
    await this.tell((count) => ({ type: 'stall', count }), clients, 'stalled');
  }

  async dropStalled(): Promise<void> {
    await this.tell(() => ({ type: 'drop-stalled' }), 0, 'dropped');
  }

  async follow(options: Extract<ToClients, { type: 'follow' }>['options'], clients: number): Promise<void> {
    await this.tell((count) => ({ type: 'follow', options, count }), clients, 'following');
  }

  async close(): Promise<void> {
    await this.tell(() => ({ type: 'close' }), 0, 'closed');
  }

  /** When the last client of all processes and servers has the event. Ask before it is sent. */
  async reached(urls: readonly string[], id: string): Promise<number> {
    const waits = this.children.flatMap((child) =>
      urls.map((url) =>
        heard(child, (message) => message.type === 'reached' && message.id === id && message.url === url),
      ),
    );
    const all = await Promise.all(waits);
    return Math.max(...all.map((message) => (message.type === 'reached' ? message.lastAt : 0)));
  }

  private tell(
    message: (count: number) => ToClients,
    total: number,
    answer: FromClients['type'],
  ): Promise<FromClients[]> {
    const share = total / this.children.length;
    if (!Number.isInteger(share)) throw new Error(`${total} clients in ${this.children.length} processes`);
    return Promise.all(
      this.children.map((child) => {
        const answered = heard(child, (said) => said.type === answer);
        child.send(message(share));
        return answered;
      }),
    );
  }
}

const heard = (child: ChildProcess, wanted: (message: FromClients) => boolean): Promise<FromClients> =>
  new Promise((resolve, reject) => {
    const timeout = setTimeout(() => reject(new Error('a client process says nothing')), 120_000);
    const hear = (message: FromClients): void => {
      if (message.type !== 'failed' && !wanted(message)) return;
      clearTimeout(timeout);
      child.off('message', hear);
      if (message.type === 'failed') reject(new Error(message.message));
      else resolve(message);
    };
    child.on('message', hear);
  });

/** Resident memory of a process, in bytes. */
export const residentBytes = (pid: number): number => {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1_024;
};

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));
export const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
