import { randomBytes } from 'node:crypto';
import { AnalysisModule, openAnalysisArchive, previewPlan } from '@headgate/analysis';
import { appendTo, CollectorModule } from '@headgate/collector';
import { ControlModule, LogBearers } from '@headgate/control';
import { generatedSecrets } from '@headgate/embedded';
import { GatewayModule } from '@headgate/gateway';
import { Projection, type ProjectionNote, ProjectorModule, projectionPause } from '@headgate/projector';
import { PublisherModule } from '@headgate/publisher';
import { RolloutsModule } from '@headgate/rollouts';
import {
  AnyOfBearers,
  FixedBearers,
  type Log,
  type RunningService,
  runService,
  secretHash,
  uuidV7Source,
} from '@headgate/service-kit';
import { noteServer } from './installation/cli-settings.js';
import { Closers } from './installation/closers.js';
import { openDataFolder } from './installation/data-folder.js';
import { firstAdmin } from './installation/first-admin.js';
import { settleHttpPort } from './installation/http-port.js';
import { lockInstallation } from './installation/lock-installation.js';
import { type Connections, openConnections } from './installation/open-connections.js';
import { type Ready, writeReady } from './installation/ready.js';
import { openRecoverSocket } from './installation/recover-socket.js';
import { type Servers, startServers } from './installation/start-servers.js';
import { operationsOf } from './operations/operations.js';
import type { StandaloneConfig } from './standalone-config.js';

export interface RunningStandalone {
  readonly ready: Ready;
  close(): Promise<void>;
}

const YEAR_MS = 365 * 86_400_000;

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
    const servers = await startServers(config, folder, log, closers);
    const connections = await openConnections(servers, folder, log, now, closers);
    const newId = uuidV7Source(now);
    const admin = { store: connections.store, newId, random: randomBytes };
    const ingestToken = `hg_${generatedSecrets(folder.secrets, ['ingest']).ingest}`;
    const port = await settleHttpPort(folder.run, config.httpHost, config.httpPort);
    const modules = await modulesOf({ config, servers, connections, ingestToken, now, newId });
    const service = await runService({ name: 'headgate', host: config.httpHost, port, modules, log });
    closers.add('http', () => service.close());
    watchServers(service, servers, connections);
    await whenReady(service);
    const recover = await openRecoverSocket(folder.run, admin, log);
    closers.add('recovery socket', () => recover.close());
    const first = await firstAdmin(admin);
    const ready: Ready = {
      schema: 'headgate.ready.v1',
      name: servers.name,
      url: service.url,
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

interface ModuleParts {
  readonly config: StandaloneConfig;
  readonly servers: Servers;
  readonly connections: Connections;
  readonly ingestToken: string;
  readonly now: () => number;
  readonly newId: () => string;
}

const modulesOf = async ({ config, servers, connections, ingestToken, now, newId }: ModuleParts) => {
  const { store, streams, database, pin } = connections;
  const { folder, upstreams } = servers;
  const notes = { tell: (_note: ProjectionNote): void => undefined };
  const projection = new Projection({
    store,
    db: database,
    pause: projectionPause,
    onNote: (note) => notes.tell(note),
  });
  const archive = await openAnalysisArchive({ folder: folder.analysis, maxAgeMs: YEAR_MS, now });
  const ingest = new FixedBearers([
    { secretHash: secretHash(ingestToken), caller: { tokenId: 'ingest', role: 'viewer', project: null } },
  ]);
  const mirrors = upstreams.map((bundle) => ({
    root: bundle.name,
    stream: `UP_${bundle.name}`,
    pin: bundle.pin,
  }));
  return [
    ControlModule.register({
      store,
      streams: streams.control,
      database,
      now,
      newId,
      random: randomBytes,
      previewPlan: (request) => previewPlan({ streams: streams.analysis, now }, request),
      operations: operationsOf({ config, servers, connections, projection, now }),
    }),
    PublisherModule.register({ store, streams: streams.publisher, keysFolder: folder.keys, clock: now }),
    GatewayModule.register({
      streams: streams.gateway,
      sources: [{ root: 'own', stream: 'FLAGS', pin }, ...mirrors],
      dataDir: folder.gateway,
      now,
      newId,
      random: Math.random,
    }),
    CollectorModule.register({
      append: appendTo(streams.collector),
      // The installation's own token first: a report must get in although the log is away.
      bearers: new AnyOfBearers([ingest, new LogBearers(store, now)]),
      clock: now,
    }),
    AnalysisModule.register({ store, streams: streams.analysis, archive, now }),
    RolloutsModule.register({ store }),
    ProjectorModule.register({ projection, notes }),
  ];
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
const READY_PATIENCE_MS = 120_000;

/** All parts ready, or an error that names those that are not. */
const whenReady = async ({ health }: RunningService): Promise<void> => {
  const deadline = Date.now() + READY_PATIENCE_MS;
  for (;;) {
    const { ok, checks } = await health.readiness();
    if (ok) return;
    if (Date.now() > deadline) {
      const bad = Object.entries(checks).filter(([, check]) => !check.ok);
      throw new Error(
        `not ready after two minutes: ${bad.map(([name, { detail = '' }]) => `${name} (${detail})`).join(', ')}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
};
