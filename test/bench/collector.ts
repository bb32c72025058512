import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { appendTo, CollectorModule, checkReport } from '@headgate/collector';
import { instanceReport, STREAMS, telemetrySubject } from '@headgate/contracts';
import { FixedBearers, Log, runService, secretHash } from '@headgate/service-kit';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';
import { fastify } from 'fastify';
import { startSpecServer } from '../support/nats-server.js';
import type { LoadAnswer, LoadOrder } from './collector/load.js';

/**
 * `npm run bench -- collector [--json FILE]`: reports a second through the collector's door, each answered when the server has
 * acknowledged it, against its floor in the same run: a bare fastify route with a zod schema that publishes and awaits the ack.
 */
const ROUNDS = 5;
const ROUND_MS = 2_000;
const CONNECTIONS = 64;
const TOKEN = 'bench-token-0123456789';
const NOW = 1_780_000_000_000;
const CHECKS = 20_000;

const digest = (kind: string, n: number): string => createHash(kind).update(String(n)).digest('hex');

const reportOf = (n: number) => ({
  schema: 'headgate.report.v1',
  project: 'shop',
  channel: 'stable',
  instance: digest('sha256', n),
  bootId: digest('md5', n),
  seq: 1,
  version: { upstream: '25.1', vendor: '2.3' },
  health: 'ok',
  flags: Array.from({ length: 5 }, (_, k) => ({ name: `area.path-${k}`, value: k % 2 ? 'on' : 'off' })),
  metrics: {
    counters: Object.fromEntries(Array.from({ length: 12 }, (_, k) => [`http.requests.${k}`, n * 100 + k])),
    gauges: { 'memory.rss': { sum: 5e8, count: 10, logSum: 200.5 }, 'queue.length': { sum: 12, count: 10 } },
    events: {},
  },
  window: { startedAt: NOW, endedAt: NOW + 60_000 },
});

const bodies = Array.from({ length: 500 }, (_, n) => JSON.stringify(reportOf(n)));

const load = (url: string): Promise<LoadAnswer> =>
  new Promise((resolve, reject) => {
    const order: LoadOrder = { url, token: TOKEN, connections: CONNECTIONS, forMs: ROUND_MS, bodies };
    const worker = new Worker(fileURLToPath(new URL('./collector/load.js', import.meta.url)), {
      workerData: order,
    });
    worker.once('message', resolve);
    worker.once('error', reject);
  });

const startFloor = async (streams: Streams) => {
  const app = fastify();
  app.post('/telemetry/v1/reports', async (request, reply) => {
    const report = instanceReport.parse(request.body);
    const pack = { schema: 'headgate.telemetry-received.v1', receivedAt: Date.now(), reports: [report] };
    await streams.publish(telemetrySubject(report.project), Buffer.from(JSON.stringify(pack)), {
      expectStream: STREAMS.telemetry,
    });
    return reply.code(202).send({ accepted: 1 });
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => app.close() };
};

const startCollector = (streams: Streams) => {
  const caller = { tokenId: 'bench', role: 'viewer', project: null } as const;
  const bearers = new FixedBearers([{ secretHash: secretHash(TOKEN), caller }]);
  const log = new Log({ service: 'bench', level: 'error', now: Date.now, write: () => {} });
  const module = CollectorModule.register({ append: appendTo(streams), bearers, clock: Date.now });
  return runService({ name: 'collector', log, modules: [module] });
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const measureDoor = async (sync: 'always' | null) => {
  const server = await startSpecServer({ sync });
  const streams = await connectStreams({ url: server.url, name: 'bench' });
  await declareInstallation(streams, { now: NOW });
  const floor = await startFloor(streams);
  const collector = await startCollector(streams);
  const rates = { collector: [] as number[], floor: [] as number[] };
  const cpuMs = { collector: [] as number[], floor: [] as number[] };
  const run = async (name: 'collector' | 'floor', url: string): Promise<void> => {
    const before = process.cpuUsage();
    const { accepted, other, elapsedMs } = await load(`${url}/telemetry/v1/reports`);
    const used = process.cpuUsage(before);
    if (other > 0 || accepted === 0) throw new Error(`${name}: ${accepted} accepted, ${other} not`);
    rates[name].push((accepted * 1_000) / elapsedMs);
    cpuMs[name].push((used.user + used.system) / 1_000 / accepted);
  };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      // Which goes first takes turns, so that neither always meets the warmer machine.
      const order = round % 2 === 0 ? (['floor', 'collector'] as const) : (['collector', 'floor'] as const);
      for (const name of order) await run(name, name === 'floor' ? floor.url : collector.url);
    }
  } finally {
    await collector.close();
    await floor.close();
    await streams.close();
    await server.remove();
  }
  return {
    collectorPerSecond: Math.round(median(rates.collector)),
    floorPerSecond: Math.round(median(rates.floor)),
    ratio: Number(median(rates.collector.map((rate, k) => rate / rates.floor[k]!)).toFixed(2)),
    // The load's own thread is in it, alike on both sides.
    collectorCpuMsPerReport: Number(median(cpuMs.collector).toFixed(3)),
    floorCpuMsPerReport: Number(median(cpuMs.floor).toFixed(3)),
  };
};

const measureCheck = () => {
  const reports = bodies.map((body) => JSON.parse(body) as unknown);
  const time = (check: (report: unknown) => boolean): number => {
    const rounds = Array.from({ length: 5 }, () => {
      const begun = performance.now();
      for (let n = 0; n < CHECKS; n++) if (!check(reports[n % reports.length])) throw new Error('refused');
      return ((performance.now() - begun) * 1_000) / CHECKS;
    });
    return Number(median(rounds).toFixed(2));
  };
  const byHandUs = time((report) => checkReport(report) === null);
  const bySchemaUs = time((report) => instanceReport.safeParse(report).success);
  return { byHandUs, bySchemaUs, timesQuicker: Number((bySchemaUs / byHandUs).toFixed(1)) };
};

const result = {
  synced: await measureDoor('always'),
  unsynced: await measureDoor(null),
  check: measureCheck(),
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
const at = process.argv.indexOf('--json');
if (at > 0) writeFileSync(process.argv[at + 1]!, JSON.stringify(result));
