import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { generatedSecrets } from '@headgate/embedded';
import { grpcOptionsOf } from '@headgate/gateway';
import { type Log, type RunningService, runService, tlsFilesOf, uuidV7Source } from '@headgate/service-kit';
import { noteServer } from './installation/cli-settings.js';
import { Closers } from './installation/closers.js';
import { openDataFolder } from './installation/data-folder.js';
import { firstAdmin, recoverAdmin } from './installation/first-admin.js';
import { settleGrpcPort, settleHttpPort } from './installation/http-port.js';
import { openLocalSocket } from './installation/local-socket.js';
import { lockInstallation } from './installation/lock-installation.js';
import { type Connections, openConnections } from './installation/open-connections.js';
import { type Ready, writeReady } from './installation/ready.js';
import { type Servers, startServers } from './installation/start-servers.js';
import { openModules } from './open-modules.js';
import type { StandaloneConfig } from './standalone-config.js';

export interface RunningStandalone {
  readonly ready: Ready;
  close(): Promise<void>;
}

/**
 * Starts nats-server, Postgres and every service in this process, and resolves when all of them serve. What was started is taken
 * down again when a later part fails. Throws `DataDirectoryInUse` when another process has the data.
 */
export const startStandalone = async (
  config: StandaloneConfig,
  log: Log,
  now: () => number = Date.now,
): Promise<RunningStandalone> => {
  const closers = new Closers(log);
  try {
    const folder = openDataFolder(config.dataDir);
    const lock = await lockInstallation(folder, now, closers);
    // One of an earlier start would be believed.
    if (config.readyFile !== undefined) rmSync(config.readyFile, { force: true });
    const port = await settleHttpPort(folder.run, { host: config.httpHost, port: config.httpPort });
    const listener = grpcOptionsOf(config);
    const grpc = { ...listener, port: await settleGrpcPort(folder.run, listener) };
    const servers = await startServers(config, folder, log, closers);
    const connections = await openConnections({ config, servers, folder, log, now, closers });
    const newId = uuidV7Source(now);
    const ingestToken = `hg_${generatedSecrets(folder.secrets, ['ingest']).ingest}`;
    const { modules, operations } = await openModules({
      config,
      servers,
      connections,
      ingestToken,
      grpc,
      now,
      newId,
    });
    const service = await runService({
      name: 'headgate',
      host: config.httpHost,
      port,
      tls: tlsFilesOf(config.tlsCertPath, config.tlsKeyPath),
      modules,
      log,
    });
    closers.add('http', () => service.close());
    watchServers(service, servers, connections);
    const admin = { store: connections.store, newId, random: randomBytes };
    const socket = await openLocalSocket(
      folder.run,
      {
        '/token': () => recoverAdmin(admin),
        '/doctor': operations.doctor,
        '/log/verify': operations.verifyLog,
        '/log/restore': operations.restoreLog,
        '/projection/rebuild': operations.rebuildProjection,
      },
      log,
    );
    closers.add('local socket', () => socket.close());
    await whenReady(service, log);
    const first = await firstAdmin(admin, log);
    const ready: Ready = {
      schema: 'headgate.ready.v1',
      name: servers.name,
      url: service.url,
      grpcAddress: `${grpc.host.includes(':') ? `[${grpc.host}]` : grpc.host}:${grpc.port}`,
      adminToken: first?.secret ?? null,
      ingestToken,
      rootPin: connections.pin,
      natsUrl: servers.nats.url,
      leafUrl: servers.nats.leafUrl,
      dataDir: folder.root,
      pid: process.pid,
    };
    lock.note({ url: service.url, serverPid: process.pid });
    noteServer(folder.cliSettings, ready.url, log);
    if (config.readyFile !== undefined) writeReady(config.readyFile, ready);
    return { ready, close: () => closers.close() };
  } catch (cause) {
    await closers.close();
    throw cause;
  }
};

const watchServers = (
  { health }: RunningService,
  { nats, postgres }: Servers,
  { streams }: Connections,
): void => {
  health.ready('nats', () => ({
    ok: nats.isRunning() && streams.control.status === 'connected',
    detail: streams.control.status,
  }));
  health.ready('postgres', () => ({ ok: postgres.isRunning() }));
};

const LOOK_MS = 50;
const PATIENCE_MS = 30_000;

/** Waits for every part, but not for ever: an installation whose log has to be restored must be there to be asked for it. */
const whenReady = async ({ health }: RunningService, log: Log): Promise<void> => {
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    const { ok, checks } = await health.readiness();
    if (ok) return;
    const parts = Object.entries(checks).filter(([, check]) => !check.ok);
    if (waitedMs >= PATIENCE_MS || parts.every(([, { isStuck }]) => isStuck)) {
      log.error('not everything is ready; serving all the same. See headgate doctor', {
        parts: Object.fromEntries(parts.map(([name, { detail }]) => [name, detail ?? 'not ready'])),
      });
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
};
