import type { Operations } from '@headgate/control';
import type { ChannelRefusals } from '@headgate/gateway';
import { type Projection, type Readopted, readoptFlags, restoreLog, verifyLog } from '@headgate/projector';
import { archivedProjects } from '@headgate/read-model';
import type { Connections } from '../installation/open-connections.js';
import type { Servers } from '../installation/start-servers.js';
import { admitVendor } from '../mirror/mirror-wiring.js';
import type { StandaloneConfig } from '../standalone-config.js';
import { examine } from './doctor.js';

export interface OperationParts {
  readonly config: StandaloneConfig;
  readonly servers: Servers;
  readonly connections: Connections;
  readonly projection: Projection;
  readonly refusals: ChannelRefusals;
  readonly now: () => number;
}

/** What an administrator may ask of the whole installation, done by the process that holds it. */
export const operationsOf = ({
  config,
  servers,
  connections,
  projection,
  refusals,
  now,
}: OperationParts): Required<Operations> => ({
  verifyLog: async () => ({ ...(await verifyLog(connections.store, connections.database)) }),
  restoreLog: async () => ({ ok: true, ...(await restore(connections, now)) }),
  rebuildProjection: async () => ({ ok: true, ...(await projection.rebuild()) }),
  doctor: () => examine({ servers, connections, projection, refusals, now }),
  addVendor: ({ name }) => admitVendor(servers.nats, name, { pin: connections.pin, leafUrl: config.leafUrl }),
});

/** First what the archive has, byte for byte; then what only the signed documents in FLAGS still show. */
const restore = async ({ streams, store, database, pin }: Connections, now: () => number) => {
  const restored = await restoreLog(streams.control, database);
  const readopted: Readopted[] = [];
  for (const project of await archivedProjects(database)) {
    const adopted = await readoptFlags(project, { streams: streams.publisher, store, pin, now });
    if (adopted) readopted.push(adopted);
  }
  return { ...restored, readopted };
};
