import {
  FixedBearers,
  loadConfig,
  processLog,
  runService,
  secretHash,
  serveUntilSignal,
  tlsFilesOf,
} from '@headgate/service-kit';
import { connectStreams } from '@headgate/streams';
import { appendTo, CollectorModule } from './collector.module.js';
import { collectorConfig } from './collector-config.js';

await serveUntilSignal(async () => {
  const { value: config, effective } = loadConfig(collectorConfig, {
    env: process.env,
    ...(process.env.HEADGATE_CONFIG ? { file: process.env.HEADGATE_CONFIG } : {}),
  });
  const log = processLog('collector');
  log.info('configuration', { effective });
  const streams = await connectStreams({
    url: config.natsUrl,
    name: 'headgate-collector',
    ...(config.natsUser ? { user: config.natsUser } : {}),
    ...(config.natsPassword ? { password: config.natsPassword } : {}),
  });
  const bearers = new FixedBearers([
    {
      secretHash: secretHash(config.ingestToken),
      caller: { tokenId: 'ingest', role: 'viewer', project: null },
    },
  ]);
  const service = await runService({
    name: 'collector',
    log,
    host: config.httpHost,
    port: config.httpPort,
    tls: tlsFilesOf(config.tlsCertPath, config.tlsKeyPath),
    modules: [CollectorModule.register({ append: appendTo(streams), bearers, clock: Date.now })],
  });
  service.health.ready('nats', () => ({ ok: streams.status === 'connected', detail: streams.status }));
  process.stdout.write(`${JSON.stringify({ ready: 'collector', url: service.url })}\n`);
  return {
    close: async () => {
      await service.close();
      await streams.close();
    },
  };
});
