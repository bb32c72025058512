import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../support/self-signed.js';
import { openBenchChannel } from './fanout/channel.js';
import {
  type Bare,
  Crowd,
  endAll,
  later,
  median,
  residentBytes,
  rest,
  round,
  type Server,
  startBare,
  startGateway,
} from './fanout/parts.js';
import { measureReconnect } from './fanout/reconnect.js';
import { compare, streamOf, timeGateways } from './fanout/rounds.js';
import { measureSync } from './fanout/sync.js';

/**
 * `npm run bench -- fanout [--json FILE] [--clients N] [--only PART]`: one change to as many event streams as this machine's
 * descriptors allow, against bare writes of the same bytes to as many sockets, in turn, in the same run.
 */
const argument = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const CLIENTS = Number(argument('clients') ?? 19_000);
const PROCESSES = 4;
const TLS_CLIENTS = Math.min(CLIENTS, 4_000);
/** What a connection's buffers hold on both sides is some 10 MB: a client is stalled only once they are full. */
const STALL = {
  clients: 400,
  stalled: 40,
  bytes: 60_000,
  events: 40,
  fill: { bytes: 90_000, events: 150 },
} as const;
const RECONNECTING = 1_000;

const folder = later(mkdtempSync(join(tmpdir(), 'hg-fanout-')), (made) =>
  rmSync(made, { recursive: true, force: true }),
);
const say = (line: string): boolean => process.stderr.write(`${line}\n`);

const channel = await openBenchChannel();
const crowd = new Crowd(PROCESSES);
let started = 0;
const gateway = (more?: Readonly<Record<string, string>>) => {
  started += 1;
  return startGateway(channel.env(join(folder, `gateway-${started}`), more));
};
/** Memory per client, once idle: what a process grew by while they came. */
const grown = async (pids: readonly number[], clients: number, open: () => Promise<unknown>) => {
  const total = (): number => pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
  const before = total();
  await open();
  await rest(3_000);
  return (total() - before) / clients;
};

const measureProcesses = async (processes: number) => {
  const gateways: Server[] = [];
  const bare: Bare[] = [];
  for (let i = 0; i < processes; i += 1) {
    gateways.push(await gateway());
    bare.push(await startBare());
  }
  const each = CLIENTS / processes;
  const pidsOf = (servers: readonly { readonly pid: number }[]) => servers.map(({ pid }) => pid);
  const bareBytes = await grown(pidsOf(bare), CLIENTS, async () => {
    for (const server of bare) await crowd.open(server.url, each);
  });
  const gatewayBytes = await grown(pidsOf(gateways), CLIENTS, async () => {
    for (const server of gateways) await crowd.open(streamOf(server), each);
  });
  const compared = await compare(channel, crowd, gateways, bare);
  await crowd.close();
  for (const server of [...gateways, ...bare]) await server.stop();
  return {
    clients: CLIENTS,
    ...compared,
    bytesPerClient: Math.round(gatewayBytes),
    bareBytesPerClient: Math.round(bareBytes),
    memoryRatio: round(gatewayBytes / bareBytes),
  };
};

/** The same gateway with and without TLS: what encryption costs. */
const measureTls = async () => {
  const files = await selfSigned();
  later(files, () => files.remove());
  const plain = await gateway();
  const secure = await gateway({
    HEADGATE_TLS_CERT_PATH: files.certFile,
    HEADGATE_TLS_KEY_PATH: files.keyFile,
  });
  let openedMs = 0;
  const plainBytes = await grown([plain.pid], TLS_CLIENTS, () => crowd.open(streamOf(plain), TLS_CLIENTS));
  const secureBytes = await grown([secure.pid], TLS_CLIENTS, async () => {
    openedMs = await crowd.open(streamOf(secure), TLS_CLIENTS, files.cert);
  });
  const [without, encrypted]: [number[], number[]] = [[], []];
  for (let nth = 0; nth < 14; nth += 1) {
    await rest(200);
    // One change reaches both gateways; each is timed for its own clients by one that the other has got already.
    const { id, commit } = channel.next();
    const reached = [plain, secure].map((server) => crowd.reached([streamOf(server)], id));
    const began = Number(process.hrtime.bigint()) / 1e6;
    await channel.publish(commit);
    const [one = 0, other = 0] = await Promise.all(reached);
    if (nth < 3) continue;
    without.push(one - began);
    encrypted.push(other - began);
  }
  await crowd.close();
  await Promise.all([plain.stop(), secure.stop()]);
  return {
    clients: TLS_CLIENTS,
    timeRatio: round(median(encrypted) / median(without)),
    bytesPerClient: Math.round(secureBytes),
    plainBytesPerClient: Math.round(plainBytes),
    handshakesPerSecond: Math.round((TLS_CLIENTS * 1_000) / openedMs),
  };
};

/** Events of 60 kB to the same readers, with clients beside them that do not read and then without. */
const measureStalled = async () => {
  const server = await gateway();
  await crowd.open(streamOf(server), STALL.clients);
  const time = async (bytes: number, events: number): Promise<number> => {
    const times: number[] = [];
    for (let nth = 0; nth < events; nth += 1) {
      await rest(20);
      times.push((await timeGateways(channel, crowd, [server], bytes)).ms);
    }
    return median(times);
  };
  await crowd.stall(STALL.stalled);
  await time(STALL.fill.bytes, STALL.fill.events);
  const withStalled = await time(STALL.bytes, STALL.events);
  await crowd.dropStalled();
  const without = await time(STALL.bytes, STALL.events);
  await crowd.close();
  await server.stop();
  return {
    clients: STALL.clients,
    stalled: STALL.stalled,
    timeRatio: round(withStalled / without),
  };
};

/** A measurement and what it is held against. */
const part = <M extends object>(
  measure: () => Promise<M>,
  goals: (measured: M) => readonly (readonly [text: string, isMet: boolean])[],
) => ({
  run: async () => {
    const measured = await measure();
    return { measured, goals: goals(measured) };
  },
});

const inTime = (timeRatio: number, bound: number, beside: string): readonly [string, boolean] => [
  `time ${timeRatio}, at most ${bound} x ${beside}`,
  timeRatio <= bound,
];

const PARTS = {
  one: part(
    () => measureProcesses(1),
    ({ timeRatio, memoryRatio }) => [
      inTime(timeRatio, 1.6, 'bare writes'),
      [`memory per idle client ${memoryRatio}, at most 2 x bare http`, memoryRatio <= 2],
    ],
  ),
  twoProcesses: part(
    () => measureProcesses(2),
    ({ timeRatio }) => [inTime(timeRatio, 1.6, 'bare writes')],
  ),
  tls: part(measureTls, () => []),
  stalled: part(measureStalled, ({ timeRatio }) => [inTime(timeRatio, 1.2, 'the same with nobody stalled')]),
  reconnect: part(
    async () => {
      const server = await gateway();
      // Processes of their own: one that still clears away 19,000 sockets comes back in bursts.
      const fresh = new Crowd(PROCESSES);
      const measured = await measureReconnect(channel, fresh, server, RECONNECTING);
      await server.stop();
      return measured;
    },
    ({ peakRatio }) => [[`peak ${peakRatio}, at most 2 x steady`, peakRatio <= 2]],
  ),
  sync: part(
    () => measureSync(folder),
    ({ timeRatio, reopenRatio }) => [
      inTime(timeRatio, 2, 'bare gRPC writes of the same bytes'),
      [`all streams anew: time ${reopenRatio}, at most 2 x bare writes of them`, reopenRatio <= 2],
    ],
  ),
} as const;

try {
  const only = argument('only');
  const written: Record<string, unknown> = {};
  const goals: string[] = [];
  for (const [name, { run }] of Object.entries(PARTS)) {
    if (only !== undefined && only !== name) continue;
    say(`${name} …`);
    const { measured, goals: held } = await run();
    say(`${name}: ${JSON.stringify(measured)}`);
    Object.assign(written, name === 'one' ? measured : { [name]: measured });
    goals.push(...held.map(([text, isMet]) => `${isMet ? 'met   ' : 'MISSED'} ${name}: ${text}`));
  }
  const file = argument('json');
  if (file) writeFileSync(file, `${JSON.stringify(written, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(written)}\n`);
  for (const goal of goals) say(goal);
  process.exitCode = goals.every((goal) => goal.startsWith('met')) ? 0 : 1;
} finally {
  await endAll();
}
