import { createHash, randomBytes } from 'node:crypto';
import { AnalysisModule, openAnalysisArchive } from '@headgate/analysis';
import { appendTo, appendUsageTo, CollectorModule } from '@headgate/collector';
import { STREAMS, upstreamStream } from '@headgate/contracts';
import { ControlModule, LogBearers, type Operations } from '@headgate/control';
import { ChannelRefusals, GatewayModule, type GatewayOptions } from '@headgate/gateway';
import {
  Projection,
  type ProjectionNote,
  ProjectorModule,
  projectionPause,
  UsageModule,
} from '@headgate/projector';
import { PublisherModule } from '@headgate/publisher';
import { RolloutsModule } from '@headgate/rollouts';
import { AnyOfBearers, FixedBearers, type ServiceOptions, secretHash } from '@headgate/service-kit';
import type { Connections } from './installation/open-connections.js';
import type { Servers } from './installation/start-servers.js';
import { operationsOf } from './operations/operations.js';
import type { StandaloneConfig } from './standalone-config.js';

const YEAR_MS = 365 * 86_400_000;

interface ModuleParts {
  readonly config: StandaloneConfig;
  readonly servers: Servers;
  readonly connections: Connections;
  readonly ingestToken: string;
  readonly grpc: GatewayOptions['grpc'];
  readonly now: () => number;
  readonly newId: () => string;
}

/** Every service of an installation as a module of one application, and what its administrator may ask of all of them. */
export const openModules = async ({
  config,
  servers,
  connections,
  ingestToken,
  grpc,
  now,
  newId,
}: ModuleParts): Promise<{ modules: ServiceOptions['modules']; operations: Required<Operations> }> => {
  const { store, streams, database, pin } = connections;
  const { folder, upstreams } = servers;
  const notes = { tell: (_note: ProjectionNote): void => undefined };
  const projection = new Projection({
    store,
    db: database,
    pause: projectionPause,
    onNote: (note) => notes.tell(note),
  });
  const refusals = new ChannelRefusals();
  const operations = operationsOf({ config, servers, connections, projection, refusals, now });
  const archive = await openAnalysisArchive({ folder: folder.analyses, maxAgeMs: YEAR_MS, now });
  const ingest = new FixedBearers([
    { secretHash: secretHash(ingestToken), caller: { tokenId: 'ingest', role: 'viewer', project: null } },
  ]);
  const mirrors = upstreams.map(({ name, pin: upstreamPin }) => ({
    root: name,
    stream: upstreamStream(name),
    pin: upstreamPin,
  }));
  const modules = [
    ControlModule.register({
      store,
      streams: streams.control,
      database,
      now,
      newId,
      random: randomBytes,
      operations,
    }),
    PublisherModule.register({
      store,
      streams: streams.publisher,
      keysFolder: folder.keys,
      ...(config.keysPassphrase === undefined ? {} : { keysPassphrase: config.keysPassphrase }),
      beatEveryMs: config.beatEveryMs,
      clock: now,
    }),
    GatewayModule.register({
      streams: streams.gateway,
      sources: [{ root: 'own', stream: STREAMS.flags, pin }, ...mirrors],
      dataDir: folder.gateway,
      refusals,
      now,
      newId,
      random: Math.random,
      maxClients: config.gatewayMaxClients,
      ...(config.gatewayMaxClientsPerAddress === undefined
        ? {}
        : { maxClientsPerAddress: config.gatewayMaxClientsPerAddress }),
      requestsPerSecond: config.gatewayRequestsPerSecond,
      corsOrigins: config.gatewayCorsOrigins,
      usage: {
        gateway: createHash('sha256').update(`gateway of ${pin}`).digest('hex'),
        tell: appendUsageTo(appendTo(streams.collector), now),
      },
      ...(config.grpcSyncContext === undefined ? {} : { syncContext: config.grpcSyncContext }),
      grpc: grpc ?? null,
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
    UsageModule.register({ streams: streams.projector, db: database, now, pause: projectionPause }),
  ];
  return { modules, operations };
};
