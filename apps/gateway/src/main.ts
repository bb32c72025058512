import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Log,
  loadConfig,
  processLog,
  runService,
  serveUntilSignal,
  tlsFilesOf,
} from '@headgate/service-kit';
import { connectStreams, type Streams, Unavailable } from '@headgate/streams';
import { gatewayName } from './flag-set/gateway-name.js';
import { postUsage } from './flag-set/post-usage.js';
import { grpcOptionsOf } from './flagd/grpc-config.js';
import { GatewayModule } from './gateway.module.js';
import { type GatewayConfig, gatewayConfig } from './gateway-config.js';

const CONNECT_AGAIN_MS = 1_000;

await serveUntilSignal(async () => {
  const { value: config, effective } = loadConfig(gatewayConfig, {
    env: process.env,
    ...(process.env.HEADGATE_CONFIG ? { file: process.env.HEADGATE_CONFIG } : {}),
  });
  const log = processLog('gateway');
  log.info('configuration', { effective });
  const closing = new AbortController();
  const streams = connectWhenThere(config, log, closing.signal);
  const { grpcPort, grpcSyncContext, telemetryUrl: url, telemetryToken: token } = config;
  const dataDir = join(config.dataDir, 'gateway');
  let listening: number | null = null;
  const grpc =
    grpcPort === undefined
      ? null
      : {
          ...grpcOptionsOf({ ...config, grpcPort }),
          onListening: (port: number) => {
            listening = port;
          },
        };
  const service = await runService({
    name: 'gateway',
    log,
    host: config.httpHost,
    port: config.httpPort,
    tls: tlsFilesOf(config.tlsCertPath, config.tlsKeyPath),
    modules: [
      GatewayModule.register({
        streams,
        sources: config.gatewaySources,
        dataDir,
        now: Date.now,
        random: Math.random,
        newId: randomUUID,
        maxClients: config.gatewayMaxClients,
        ...(config.gatewayMaxClientsPerAddress === undefined
          ? {}
          : { maxClientsPerAddress: config.gatewayMaxClientsPerAddress }),
        requestsPerSecond: config.gatewayRequestsPerSecond,
        corsOrigins: config.gatewayCorsOrigins,
        grpc,
        ...(url && token
          ? { usage: { gateway: gatewayName(dataDir, randomBytes), tell: postUsage({ url, token }) } }
          : {}),
        ...(grpcSyncContext === undefined ? {} : { syncContext: grpcSyncContext }),
      }),
    ],
  });
  const ready = { ready: 'gateway', url: service.url, grpcPort: listening };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  return {
    close: async () => {
      closing.abort();
      await service.close();
      await streams.then(
        (connected) => connected.close(),
        () => {},
      );
    },
  };
});

/** Tries until it works: the last good state is served meanwhile. Rejects when `closing` fires first. */
async function connectWhenThere(config: GatewayConfig, log: Log, closing: AbortSignal): Promise<Streams> {
  for (;;) {
    try {
      return await connectStreams({
        url: config.natsUrl,
        name: 'headgate-gateway',
        ...(config.natsUser ? { user: config.natsUser } : {}),
        ...(config.natsPassword ? { password: config.natsPassword } : {}),
      });
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      log.warn('nats-server is away; serving what is on disk', { reason: error.message });
      await wait(CONNECT_AGAIN_MS, undefined, { signal: closing });
    }
  }
}
