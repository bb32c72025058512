import { type ChildProcess, fork } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectStreams, type Streams } from '@headgate/streams';
import { startSpecServer } from '../support/nats-server.js';
import { type StandaloneProcess, startStandaloneProcess } from '../support/standalone-process.js';
import { type FromClients, type FromFloor, monotonicMs, type ToClients } from './propagation/messages.js';

/**
 * `npm run bench -- propagation [--json FILE]`: a change is acknowledged, and 200 SDKs in four processes are called back. The floor
 * is taken in turn with it: JetStream publish to consumer, 200 socket writes, 200 verifications, in as many processes.
 */
const SDKS = 200;
const PROCESSES = 4;
const ROUNDS = 60;
// Compiled code on both sides: a cold verifier costs half as much again, and the floor has less of it to warm.
const WARM_UP = 40;
const OTHER_FLAGS = 20;
const SETTLE_MS = 40;
const PLACE = { project: 'bench', channel: 'stable' } as const;
const FLAGS = `/v1/projects/${PLACE.project}/channels/${PLACE.channel}/flags`;

interface Quantiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const folder = mkdtempSync(join(tmpdir(), 'hg-propagation-'));
const ends: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
const later = <T>(part: T, end: (part: T) => Promise<unknown> | unknown): T => {
  ends.unshift(() => end(part));
  return part;
};

const say = (line: string): boolean => process.stderr.write(`${line}\n`);

const forkBeside = (name: string): ChildProcess =>
  later(fork(new URL(`./propagation/${name}.js`, import.meta.url)), (child) => child.disconnect());

const answerOf = <T extends { readonly type: string }>(child: ChildProcess, type: T['type']): Promise<T> =>
  new Promise((resolve, reject) => {
    const hear = (message: T | Extract<FromClients, { type: 'failed' }>): void => {
      if (message.type !== type && message.type !== 'failed') return;
      child.off('message', hear);
      if (message.type === type) resolve(message as T);
      else reject(new Error((message as { message: string }).message));
    };
    child.on('message', hear);
  });

/** Callback times of all clients of all processes for one number. */
const allReached = async (
  clients: readonly ChildProcess[],
  of: 'sdk' | 'floor',
  number: number,
): Promise<number[]> => {
  const parts = await Promise.all(
    clients.map(
      (child) =>
        new Promise<readonly number[]>((resolve) => {
          const hear = (message: FromClients): void => {
            if (message.type !== 'reached' || message.of !== of || message.number !== number) return;
            child.off('message', hear);
            resolve(message.at);
          };
          child.on('message', hear);
        }),
    ),
  );
  return parts.flat();
};

const tell = async (
  clients: readonly ChildProcess[],
  message: ToClients,
  answer: FromClients['type'],
): Promise<void> => {
  const answers = clients.map((child) => answerOf<FromClients>(child, answer));
  for (const child of clients) child.send(message);
  await Promise.all(answers);
};

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

const quantiles = (samples: readonly number[]): Quantiles => {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50Ms: round(at(0.5)), p99Ms: round(at(0.99)) };
};
const round = (ms: number): number => Math.round(ms * 100) / 100;

const definition = (isOn: boolean) => ({
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: isOn ? 'on' : 'off',
});

/** One change through the API of the upstream: what passes between its acknowledgement and each callback. */
const measureChange = async (
  upstream: StandaloneProcess,
  clients: readonly ChildProcess[],
  nth: number,
): Promise<number[]> => {
  // The position is known only from the answer, which a callback may overtake: so the answers are kept from now on.
  const heard = new Map<ChildProcess, Map<number, readonly number[]>>();
  const keep = clients.map((child) => {
    const met = new Map<number, readonly number[]>();
    heard.set(child, met);
    const hear = (message: FromClients): void => {
      if (message.type === 'reached' && message.of === 'sdk') met.set(message.number, message.at);
    };
    child.on('message', hear);
    return () => child.off('message', hear);
  });
  const { position } = await upstream.call<{ position: number }>('PUT', `${FLAGS}/path`, {
    definition: definition(nth % 2 === 0),
    why: `round ${nth}`,
  });
  const acknowledgedAt = monotonicMs();
  const at = await Promise.all(
    clients.map((child) => heard.get(child)?.get(position) ?? allReached([child], 'sdk', position)),
  );
  for (const stop of keep) stop();
  return at.flat().map((time) => time - acknowledgedAt);
};

const openFloor = async (clients: readonly ChildProcess[]) => {
  const server = later(await startSpecServer(), (running) => running.remove());
  const streams: Streams = later(await connectStreams({ url: server.url, name: 'bench' }), (open) =>
    open.close(),
  );
  await streams.declare({
    name: 'FLOOR',
    subjects: ['floor'],
    maxMessagesPerSubject: 1,
    whenFull: 'drop-oldest',
    duplicateWindowMs: 1_000,
    denyDelete: false,
    denyPurge: false,
  });
  const fanOut = forkBeside('floor');
  const serving = answerOf<FromFloor>(fanOut, 'serving');
  fanOut.send({ type: 'serve', natsUrl: server.url, stream: 'FLOOR', clients: SDKS });
  const { url } = await serving;
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  await tell(clients, { type: 'follow-floor', url, count: SDKS / PROCESSES, publicKey: pem }, 'following');
  // As large as a commit that changes one flag.
  const body = 'x'.repeat(1_200);
  const sig = sign(null, Buffer.from(body), privateKey).toString('hex');
  return async (number: number): Promise<number[]> => {
    const reached = allReached(clients, 'floor', number);
    await streams.publish('floor', Buffer.from(JSON.stringify({ number, body, sig })), {
      expectStream: 'FLOOR',
    });
    const acknowledgedAt = monotonicMs();
    return (await reached).map((time) => time - acknowledgedAt);
  };
};

const followAt = (clients: readonly ChildProcess[], at: StandaloneProcess, rootPin: string): Promise<void> =>
  tell(
    clients,
    {
      type: 'follow',
      count: SDKS / PROCESSES,
      options: { ...PLACE, url: at.url, root: rootPin, token: at.ingestToken, siteSalt: 'bench' },
    },
    'following',
  );

const run = async () => {
  const upstream = later(await startStandaloneProcess(`${folder}/upstream`), (running) => running.stop());
  await upstream.call('POST', '/v1/projects', { slug: PLACE.project, why: 'bench' });
  await upstream.call('POST', `/v1/projects/${PLACE.project}/channels`, {
    slug: PLACE.channel,
    why: 'bench',
  });
  for (let i = 0; i < OTHER_FLAGS; i += 1)
    await upstream.call('POST', FLAGS, { key: `other-${i}`, definition: definition(true), why: 'bench' });
  await upstream.call('POST', FLAGS, { key: 'path', definition: definition(false), why: 'bench' });
  const clients = Array.from({ length: PROCESSES }, () => forkBeside('clients'));
  const measureFloor = await openFloor(clients);
  await followAt(clients, upstream, upstream.rootPin);
  say(`${SDKS} SDKs in ${PROCESSES} processes follow; ${ROUNDS} rounds, floor in turn`);
  const oneHop: number[] = [];
  const floor: number[] = [];
  for (let nth = 0; nth < WARM_UP + ROUNDS; nth += 1) {
    const change = await measureChange(upstream, clients, nth);
    await settle();
    const least = await measureFloor(nth);
    await settle();
    if (nth >= WARM_UP) oneHop.push(...change);
    if (nth >= WARM_UP) floor.push(...least);
  }
  await tell(clients, { type: 'leave' }, 'left');
  const bundle = await upstream.call('POST', '/v1/admin/vendors', { name: 'acme' });
  const vendor = later(await startStandaloneProcess(`${folder}/vendor`, bundle), (running) => running.stop());
  await followAt(clients, vendor, upstream.rootPin);
  say(`the same SDKs follow the vendor's mirror`);
  const mirror: number[] = [];
  for (let nth = 0; nth < WARM_UP + ROUNDS; nth += 1) {
    const change = await measureChange(upstream, clients, nth);
    await settle();
    if (nth >= WARM_UP) mirror.push(...change);
  }
  await tell(clients, { type: 'leave' }, 'left');
  return { oneHop: quantiles(oneHop), mirror: quantiles(mirror), floor: quantiles(floor) };
};

const goalsOf = ({
  oneHop,
  mirror,
  floor,
}: Awaited<ReturnType<typeof run>>): readonly [string, boolean][] => [
  ['one hop p50 at most 3 x floor', oneHop.p50Ms <= 3 * floor.p50Ms],
  ['one hop p99 at most 3 x floor', oneHop.p99Ms <= 3 * floor.p99Ms],
  ['one hop p50 at most 25 ms', oneHop.p50Ms <= 25],
  ['one hop p99 at most 150 ms', oneHop.p99Ms <= 150],
  ['mirror p99 at most 250 ms', mirror.p99Ms <= 250],
];

try {
  const result = await run();
  const file = process.argv[process.argv.indexOf('--json') + 1];
  if (process.argv.includes('--json') && file) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(
    `${JSON.stringify({ ...result, sdks: SDKS, processes: PROCESSES, rounds: ROUNDS })}\n`,
  );
  for (const [goal, isMet] of goalsOf(result)) say(`${isMet ? 'met   ' : 'MISSED'} ${goal}`);
  process.exitCode = goalsOf(result).every(([, isMet]) => isMet) ? 0 : 1;
} finally {
  for (const end of ends) await end();
}
