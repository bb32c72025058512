import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openEventStore } from '@headgate/event-store';
import { loadConfig, processLog, runService, serveUntilSignal, uuidV7Source } from '@headgate/service-kit';
import { connectStreams } from '@headgate/streams';
import { RolloutsModule } from './rollouts.module.js';
import { rolloutsConfig } from './rollouts-config.js';

await serveUntilSignal(async () => {
  const { value: config, effective } = loadConfig(rolloutsConfig, {
    env: process.env,
    ...(process.env.HEADGATE_CONFIG ? { file: process.env.HEADGATE_CONFIG } : {}),
  });
  const log = processLog('rollouts');
  log.info('configuration', { effective });
  const streams = await connectStreams({
    url: config.natsUrl,
    name: 'headgate-rollouts',
    ...(config.natsUser ? { user: config.natsUser } : {}),
    ...(config.natsPassword ? { password: config.natsPassword } : {}),
  });
  const store = await openEventStore({
    streams,
    clock: Date.now,
    newId: uuidV7Source(Date.now),
    newSalt: () => randomBytes(16).toString('hex'),
    ...(config.dataDir ? { snapshotDir: join(config.dataDir, 'snapshots', 'rollouts') } : {}),
    warn: (message) => log.warn(message),
  });
  const service = await runService({
    name: 'rollouts',
    log,
    host: config.httpHost,
    port: config.httpPort,
    modules: [RolloutsModule.register({ store })],
  });
  service.health.ready('nats', () => ({ ok: streams.status === 'connected', detail: streams.status }));
  process.stdout.write(`${JSON.stringify({ ready: 'rollouts', url: service.url })}\n`);
  return {
    close: async () => {
      await service.close();
      await store.close();
      await streams.close();
    },
  };
});
