import { randomBytes } from 'node:crypto';
import { openEventStore } from '@headgate/event-store';
import { openDatabase } from '@headgate/read-model';
import { loadConfig, processLog, runService, serveUntilSignal, uuidV7Source } from '@headgate/service-kit';
import { connectStreams } from '@headgate/streams';
import { Projection, type ProjectionNote } from './projection.js';
import { ProjectorModule, projectionPause } from './projector.module.js';
import { projectorConfig } from './projector-config.js';
import { UsageModule } from './usage/usage.module.js';

await serveUntilSignal(async () => {
  const { value: config, effective } = loadConfig(projectorConfig, {
    env: {
      ...process.env,
      HEADGATE_DATABASE_URL: process.env.HEADGATE_DATABASE_URL ?? process.env.DATABASE_URL,
    },
    ...(process.env.HEADGATE_CONFIG ? { file: process.env.HEADGATE_CONFIG } : {}),
  });
  const log = processLog('projector');
  log.info('configuration', { effective });
  const streams = await connectStreams({
    url: config.natsUrl,
    name: 'headgate-projector',
    ...(config.natsUser ? { user: config.natsUser } : {}),
    ...(config.natsPassword ? { password: config.natsPassword } : {}),
  });
  const db = openDatabase(config.databaseUrl, {
    onFault: (error) => log.warn('a connection to Postgres was lost', { error }),
  });
  const store = await openEventStore({
    streams,
    clock: Date.now,
    newId: uuidV7Source(Date.now),
    newSalt: () => randomBytes(16).toString('hex'),
    warn: (message) => log.warn(message),
  });
  const notes = { tell: (_note: ProjectionNote): void => undefined };
  const projection = new Projection({
    store,
    db,
    pause: projectionPause,
    onNote: (note) => notes.tell(note),
  });
  const service = await runService({
    name: 'projector',
    log,
    host: config.httpHost,
    port: config.httpPort,
    modules: [
      ProjectorModule.register({ projection, notes }),
      UsageModule.register({ streams, db, now: Date.now, pause: projectionPause }),
    ],
  });
  service.health.ready('nats', () => ({ ok: streams.status === 'connected', detail: streams.status }));
  process.stdout.write(`${JSON.stringify({ ready: 'projector', url: service.url })}\n`);
  return {
    close: async () => {
      await service.close();
      await store.close();
      await db.destroy();
      await streams.close();
    },
  };
});
