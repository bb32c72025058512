import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openEventStore } from '@headgate/event-store';
import { loadConfig, processLog, runService, serveUntilSignal, uuidV7Source } from '@headgate/service-kit';
import { connectStreams } from '@headgate/streams';
import { PublisherModule } from './publisher.module.js';
import { publisherConfig } from './publisher-config.js';

await serveUntilSignal(async () => {
  const { value: config, effective } = loadConfig(publisherConfig, {
    env: process.env,
    ...(process.env.HEADGATE_CONFIG ? { file: process.env.HEADGATE_CONFIG } : {}),
  });
  const log = processLog('publisher');
  log.info('configuration', { effective });
  const streams = await connectStreams({
    url: config.natsUrl,
    name: 'headgate-publisher',
    ...(config.natsUser ? { user: config.natsUser } : {}),
    ...(config.natsPassword ? { password: config.natsPassword } : {}),
  });
  const store = await openEventStore({
    streams,
    clock: Date.now,
    newId: uuidV7Source(Date.now),
    newSalt: () => randomBytes(16).toString('hex'),
    warn: (message) => log.warn(message),
  });
  const service = await runService({
    name: 'publisher',
    log,
    host: config.httpHost,
    port: config.httpPort,
    modules: [
      PublisherModule.register({
        store,
        streams,
        keysFolder: join(config.dataDir, 'keys'),
        ...(config.keysPassphrase ? { keysPassphrase: config.keysPassphrase } : {}),
        beatEveryMs: config.beatEveryMs,
        clock: Date.now,
      }),
    ],
  });
  service.health.ready('nats', () => ({ ok: streams.status === 'connected', detail: streams.status }));
  process.stdout.write(`${JSON.stringify({ ready: 'publisher', url: service.url })}\n`);
  return {
    close: async () => {
      await service.close();
      await store.close();
      await streams.close();
    },
  };
});
