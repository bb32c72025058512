import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connectStreams, declareInstallation } from '@headgate/streams';
import { startSpecServer } from '../../support/nats-server.js';
import { SignedChannel } from '../../support/signed-channel.js';
import { monotonicMs } from './messages.js';
import { later, median, residentBytes, rest, round, startGateway } from './parts.js';
import type {
  FromSyncBare,
  FromSyncClients,
  SyncBareKind,
  ToSyncBare,
  ToSyncClients,
} from './sync-messages.js';

const FLAGS = 5_000;
const FLAGS_PER_COMMIT = 200;
const CLIENTS = 500;
const PROCESSES = 2;
const WARM_UP = 3;
const ROUNDS = 9;
const MIB = 1_048_576;

export interface SyncMeasured {
  readonly clients: number;
  readonly flags: number;
  /** Of one message. */
  readonly stateBytes: number;
  /** Medians from the publication, or the command to write, until the last client has the last byte. */
  readonly gatewayMs: number;
  readonly bareMs: number;
  readonly grpcJsMs: number;
  /** Against writes of the same bytes by Node's http2 alone. */
  readonly timeRatio: number;
  /** Against the same by grpc-js. */
  readonly grpcJsRatio: number;
  readonly reopenMs: number;
  readonly bareReopenMs: number;
  /** All streams anew, at once, against the bare server that has nothing to do for it but write. */
  readonly reopenRatio: number;
  /** Of the gateway from the warm-up's end to the end, and the most it ever had. */
  readonly rssGrowthMiB: number;
  readonly rssPeakMiB: number;
}

/** One change of one of 5,000 flags to 500 clients of flagd.sync, each of which gets the whole state. `folder`: the gateway's. */
export const measureSync = async (folder: string): Promise<SyncMeasured> => {
  const server = later(await startSpecServer(), (running) => running.remove());
  const streams = later(await connectStreams({ url: server.url, name: 'bench-sync' }), (open) =>
    open.close(),
  );
  await declareInstallation(streams, { now: Date.now() });
  const channel = manyFlags();
  await channel.publishAll(streams);
  const grpcPort = await freePort();
  const gateway = await startGateway({
    HEADGATE_NATS_URL: server.url,
    HEADGATE_DATA_DIR: join(folder, 'gateway-sync'),
    HEADGATE_GATEWAY_SOURCES: JSON.stringify([{ root: 'own', stream: 'FLAGS', pin: channel.pin }]),
    HEADGATE_GRPC_PORT: String(grpcPort),
  });
  const url = `http://127.0.0.1:${grpcPort}`;
  const [http2, grpcJs] = [await startBare('http2'), await startBare('grpc-js')];
  const crowd = new SyncCrowd();

  let changed = 0;
  const change = async (): Promise<void> => {
    changed += 1;
    const document = channel.document(1, { ...DEFINITION, why: `n ${changed}`, metadata: { n: changed } });
    await channel.publishCommit(streams, channel.commit(document));
  };
  const stateBytes = await crowd.open(url);
  const state = Buffer.alloc(stateBytes, 'x').toString('latin1');
  for (const bare of [http2, grpcJs]) {
    bare.write(state);
    await crowd.open(bare.url);
  }
  const sides = [
    { url, write: change, times: [] as number[], reopens: [] as number[] },
    { url: http2.url, write: () => http2.write(state), times: [] as number[], reopens: [] as number[] },
    { url: grpcJs.url, write: () => grpcJs.write(state), times: [] as number[], reopens: [] as number[] },
  ];
  let rssBefore = 0;
  for (let nth = 0; nth < WARM_UP + ROUNDS; nth += 1) {
    if (nth === WARM_UP) rssBefore = residentBytes(gateway.pid);
    for (const side of sides) {
      await rest(200);
      const timed = await crowd.time(side.url, side.write);
      await rest(200);
      const reopened = await crowd.reopen(side.url);
      if (nth < WARM_UP) continue;
      side.times.push(timed);
      side.reopens.push(reopened);
    }
  }
  await rest(1_000);
  const rssGrowth = residentBytes(gateway.pid) - rssBefore;
  const rssPeakMiB = round(peakBytes(gateway.pid) / MIB, 1);
  await crowd.close();
  await Promise.all([gateway.stop(), http2.stop(), grpcJs.stop()]);
  const [ours, floor, library] = sides.map(({ times, reopens }) => ({
    ms: median(times),
    reopenMs: median(reopens),
  })) as [Timed, Timed, Timed];
  return {
    clients: CLIENTS,
    flags: FLAGS,
    stateBytes,
    gatewayMs: round(ours.ms),
    bareMs: round(floor.ms),
    grpcJsMs: round(library.ms),
    timeRatio: round(ours.ms / floor.ms),
    grpcJsRatio: round(ours.ms / library.ms),
    reopenMs: round(ours.reopenMs),
    bareReopenMs: round(floor.reopenMs),
    reopenRatio: round(ours.reopenMs / floor.reopenMs),
    rssGrowthMiB: round(rssGrowth / MIB, 1),
    rssPeakMiB,
  };
};

interface Timed {
  readonly ms: number;
  readonly reopenMs: number;
}

/** As large as a flag with one split is. */
const DEFINITION = {
  targeting: {
    fractional: [
      ['on', 100_000],
      ['off', 900_000],
    ],
  },
};

const manyFlags = (): SignedChannel => {
  const channel = new SignedChannel({ project: 'bench' });
  for (let from = 1; from <= FLAGS; from += FLAGS_PER_COMMIT) {
    const documents = Array.from({ length: FLAGS_PER_COMMIT }, (_, i) =>
      channel.document(from + i, DEFINITION),
    );
    channel.commit(...documents);
  }
  return channel;
};

const startBare = async (kind: SyncBareKind) => {
  const child = later(fork(new URL('./sync-bare.js', import.meta.url), [kind]), end);
  const { url } = await new Promise<FromSyncBare>((resolve) => child.once('message', resolve as () => void));
  const write = (state: string): void => {
    child.send({ type: 'write', state } satisfies ToSyncBare);
  };
  return { url, write, stop: () => end(child) };
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  if (child.connected) child.disconnect();
  await gone;
};

/** Client processes that share the work. */
class SyncCrowd {
  private readonly nth = new Map<string, number>();
  private readonly children = Array.from({ length: PROCESSES }, () =>
    later(fork(new URL('./sync-clients.js', import.meta.url)), end),
  );

  /** Resolves with the length of the first message when all clients have it. */
  async open(url: string): Promise<number> {
    const reached = this.reached(url, 1);
    for (const child of this.children)
      child.send({ type: 'open', url, count: CLIENTS / PROCESSES } satisfies ToSyncClients);
    this.nth.set(url, 1);
    return (await reached).bytes;
  }

  /** Milliseconds from `write` until the last client has what it wrote. */
  async time(url: string, write: () => Promise<void> | void): Promise<number> {
    const nth = (this.nth.get(url) ?? 0) + 1;
    this.nth.set(url, nth);
    const reached = this.reached(url, nth);
    const began = monotonicMs();
    await write();
    return (await reached).lastAt - began;
  }

  async reopen(url: string): Promise<number> {
    this.nth.set(url, 1);
    const reached = this.reached(url, 1);
    const began = monotonicMs();
    for (const child of this.children) child.send({ type: 'reopen', url } satisfies ToSyncClients);
    return (await reached).lastAt - began;
  }

  async close(): Promise<void> {
    const closed = this.children.map((child) => heard(child, ({ type }) => type === 'closed'));
    for (const child of this.children) child.send({ type: 'close' } satisfies ToSyncClients);
    await Promise.all(closed);
  }

  private async reached(
    url: string,
    nth: number,
  ): Promise<{ readonly lastAt: number; readonly bytes: number }> {
    const all = await Promise.all(
      this.children.map((child) =>
        heard(child, (said) => said.type === 'reached' && said.url === url && said.nth === nth),
      ),
    );
    const reached = all.flatMap((said) => (said.type === 'reached' ? [said] : []));
    return {
      lastAt: Math.max(...reached.map(({ lastAt }) => lastAt)),
      bytes: Math.max(...reached.map(({ bytes }) => bytes)),
    };
  }
}

const heard = (child: ChildProcess, isWanted: (said: FromSyncClients) => boolean): Promise<FromSyncClients> =>
  new Promise((resolve, reject) => {
    const timeout = setTimeout(() => reject(new Error('a process of sync clients says nothing')), 60_000);
    const hear = (said: FromSyncClients): void => {
      if (said.type !== 'failed' && !isWanted(said)) return;
      clearTimeout(timeout);
      child.off('message', hear);
      if (said.type === 'failed') reject(new Error(said.message));
      else resolve(said);
    };
    child.on('message', hear);
  });

const peakBytes = (pid: number): number => {
  const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1_024;
};

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
