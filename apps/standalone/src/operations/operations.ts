import type { Operations } from '@headgate/control';
import { type Projection, restoreLog, verifyLog } from '@headgate/projector';
import type { Connections } from '../installation/open-connections.js';
import type { Servers } from '../installation/start-servers.js';
import { admitVendor } from '../mirror/mirror-wiring.js';
import { examine } from './doctor.js';

export interface OperationParts {
  readonly servers: Servers;
  readonly connections: Connections;
  readonly projection: Projection;
  readonly now: () => number;
}

/** What an administrator may ask of the whole installation, done by the process that holds it. */
export const operationsOf = ({
  servers,
  connections,
  projection,
  now,
}: OperationParts): Required<Operations> => ({
  verifyLog: async () => ({ ...(await verifyLog(connections.store, connections.database)) }),
  restoreLog: async () => ({
    ok: true,
    ...(await restoreLog(connections.streams.control, connections.database)),
  }),
  rebuildProjection: async () => ({ ok: true, ...(await projection.rebuild()) }),
  doctor: () => examine({ servers, connections, projection, now }),
  addVendor: ({ name }) => admitVendor(servers.nats, name, connections.pin),
});
