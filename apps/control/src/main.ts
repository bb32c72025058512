import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { flagsHeadReader, openEventStore } from '@headgate/event-store';
import { archiveHead, openDatabase } from '@headgate/read-model';
import {
  loadConfig,
  processLog,
  runService,
  serveUntilSignal,
  tlsFilesOf,
  uuidV7Source,
} from '@headgate/service-kit';
import { connectStreams } from '@headgate/streams';
import { ControlModule } from './control.module.js';
import { controlConfig } from './control-config.js';

await serveUntilSignal(async () => {
  const { value: config, effective } = loadConfig(controlConfig, {
    env: process.env,
    ...(process.env.HEADGATE_CONFIG ? { file: process.env.HEADGATE_CONFIG } : {}),
  });
  const log = processLog('control', config.logLevel);
  log.info('configuration', { effective });
  const streams = await connectStreams({
    url: config.natsUrl,
    name: 'headgate-control',
    ...(config.natsUser ? { user: config.natsUser } : {}),
    ...(config.natsPassword ? { password: config.natsPassword } : {}),
  });
  const database = config.databaseUrl
    ? openDatabase(config.databaseUrl, {
        onFault: (error) => log.warn('a connection to Postgres was lost', { error }),
      })
    : undefined;
  const newId = uuidV7Source(Date.now);
  const store = await openEventStore({
    streams,
    clock: Date.now,
    newId,
    newSalt: () => randomBytes(16).toString('hex'),
    snapshotDir: join(config.dataDir, 'snapshots', 'control'),
    guards: {
      flagsHead: flagsHeadReader(streams),
      ...(database ? { archiveHead: (project) => archiveHead(database, project) } : {}),
    },
    warn: (message) => log.warn(message),
  });
  const service = await runService({
    name: 'control',
    log,
    host: config.httpHost,
    port: config.httpPort,
    tls: tlsFilesOf(config.tlsCertPath, config.tlsKeyPath),
    modules: [
      ControlModule.register({
        store,
        streams,
        now: Date.now,
        newId,
        random: randomBytes,
        ...(database ? { database } : {}),
      }),
    ],
  });
  service.health.ready('nats', () => ({ ok: streams.status === 'connected', detail: streams.status }));
  process.stdout.write(`${JSON.stringify({ ready: 'control', url: service.url })}\n`);
  return {
    close: async () => {
      await service.close();
      await store.close();
      await database?.destroy();
      await streams.close();
    },
  };
});
