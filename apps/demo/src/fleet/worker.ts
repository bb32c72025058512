import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Instance, openInstance } from './instance.js';
import type { FromChild, ToChild, WorkerConfig } from './messages.js';

/** A process full of instances behind one HTTP server: `POST /i/<index>/orders`, body one order line. */
const READY_TIMEOUT_MS = 60_000;
const MAX_ORDER_BYTES = 4_096;

const say = (message: FromChild): void => {
  if (process.connected) process.send?.(message);
};

const instances: Instance[] = [];

const serve = (request: IncomingMessage, response: ServerResponse): void => {
  const index = Number(/^\/i\/(\d+)\/orders$/.exec(request.url ?? '')?.[1] ?? Number.NaN);
  const instance = instances[index];
  if (request.method !== 'POST' || !instance) return void response.writeHead(404).end();
  const parts: Buffer[] = [];
  let bytes = 0;
  request.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes <= MAX_ORDER_BYTES) parts.push(part);
  });
  request.on('end', () => {
    try {
      const cents = instance.handle(Buffer.concat(parts).toString('utf8'));
      response.writeHead(200, { 'content-type': 'application/json' }).end(`{"totalCents":${cents}}`);
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain' }).end((error as Error).message);
    }
  });
};

const start = async (config: WorkerConfig): Promise<void> => {
  for (const id of config.instanceIds) instances.push(openInstance(id, config));
  const ready = await Promise.all(instances.map((instance) => instance.ready(READY_TIMEOUT_MS)));
  const late = ready.filter((isReady) => !isReady).length;
  if (late > 0)
    return say({ type: 'failed', message: `${late} of ${ready.length} instances got no verified flags` });
  const server = createServer(serve);
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => say({ type: 'ready', port: (server.address() as AddressInfo).port }));
};

const stop = async (): Promise<void> => {
  await Promise.allSettled(instances.map((instance) => instance.close()));
  process.exit(0);
};

process.on('message', (message: ToChild) => {
  if (message.type === 'start-fleet')
    start(message.config).catch((error: Error) =>
      say({ type: 'failed', message: error.stack ?? error.message }),
    );
  if (message.type === 'tally')
    say({ type: 'tally', instances: instances.map((instance) => instance.tally()) });
  if (message.type === 'stop') void stop();
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {});
