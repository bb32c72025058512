import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openEventStore } from '@headgate/event-store';
import { loadConfig, processLog, runService, serveUntilSignal, uuidV7Source } from '@headgate/service-kit';
import { connectStreams } from '@headgate/streams';
import { AnalysisModule } from './analysis.module.js';
import { analysisConfig } from './analysis-config.js';
import { openAnalysisArchive } from './verdict/analysis-archive.js';

await serveUntilSignal(async () => {
  const { value: config, effective } = loadConfig(analysisConfig, {
    env: process.env,
    ...(process.env.HEADGATE_CONFIG ? { file: process.env.HEADGATE_CONFIG } : {}),
  });
  const log = processLog('analysis');
  log.info('configuration', { effective });
  const streams = await connectStreams({
    url: config.natsUrl,
    name: 'headgate-analysis',
    ...(config.natsUser ? { user: config.natsUser } : {}),
    ...(config.natsPassword ? { password: config.natsPassword } : {}),
  });
  const store = await openEventStore({
    streams,
    clock: Date.now,
    newId: uuidV7Source(Date.now),
    newSalt: () => randomBytes(16).toString('hex'),
    snapshotDir: join(config.dataDir, 'snapshots', 'analysis'),
    warn: (message) => log.warn(message),
  });
  const archive = await openAnalysisArchive({
    folder: join(config.dataDir, 'analyses'),
    maxAgeMs: config.analysesMaxAgeMs,
    now: Date.now,
  });
  const service = await runService({
    name: 'analysis',
    log,
    host: config.httpHost,
    port: config.httpPort,
    modules: [AnalysisModule.register({ store, streams, archive, now: Date.now })],
  });
  service.health.ready('nats', () => ({ ok: streams.status === 'connected', detail: streams.status }));
  process.stdout.write(`${JSON.stringify({ ready: 'analysis', url: service.url })}\n`);
  return {
    close: async () => {
      await service.close();
      await store.close();
      await streams.close();
    },
  };
});
