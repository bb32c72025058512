import { randomBytes } from 'node:crypto';
import type { EmbeddedNats, NatsRole } from '@headgate/embedded';
import { type EventStore, flagsHeadReader, openEventStore } from '@headgate/event-store';
import { TrustKeeper } from '@headgate/publisher';
import { archiveHead, type Database, migrate, openDatabase } from '@headgate/read-model';
import { type Log, uuidV7Source } from '@headgate/service-kit';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';
import type { StandaloneConfig } from '../standalone-config.js';
import type { Closers } from './closers.js';
import type { DataFolder } from './data-folder.js';
import type { Servers } from './start-servers.js';

const ROLES = [
  'control',
  'publisher',
  'gateway',
  'collector',
  'analysis',
  'projector',
] as const satisfies readonly NatsRole[];
type Role = (typeof ROLES)[number];

export interface Connections {
  /** One connection per role: in one process too, nobody may write what is not his. */
  readonly streams: Readonly<Record<Role, Streams>>;
  readonly store: EventStore;
  readonly database: Database;
  /** Of this installation's root. */
  readonly pin: string;
}

interface ConnectionParts {
  readonly config: StandaloneConfig;
  readonly servers: Servers;
  readonly folder: DataFolder;
  readonly log: Log;
  readonly now: () => number;
  readonly closers: Closers;
}

/** Declares the streams, migrates the archive and opens the log, which refuses to write behind either of its witnesses. */
export const openConnections = async ({
  config,
  servers,
  folder,
  log,
  now,
  closers,
}: ConnectionParts): Promise<Connections> => {
  await declare(servers, now);
  const streams = {} as Record<Role, Streams>;
  for (const role of ROLES) {
    streams[role] = await connectAs(role, servers.nats, log);
    closers.add(`connection of ${role}`, () => streams[role].close());
  }
  const database = openDatabase(servers.postgres.url, {
    onFault: (error) => log.warn('a connection to Postgres was lost', { error }),
  });
  closers.add('database', () => database.destroy());
  await migrate(database);
  const flagsHead = flagsHeadReader(streams.control);
  const store = await openEventStore({
    streams: streams.control,
    clock: now,
    newId: uuidV7Source(now),
    newSalt: () => randomBytes(16).toString('hex'),
    snapshotDir: folder.snapshots,
    guards: { archiveHead: (project) => archiveHead(database, project), flagsHead },
    warn: (message) => log.warn(message),
  });
  closers.add('log', () => store.close());
  const { keysPassphrase: passphrase } = config;
  const { pin } = new TrustKeeper({
    folder: folder.keys,
    now,
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  return { streams, store, database, pin };
};

export const connectAs = (role: NatsRole, nats: EmbeddedNats, log?: Log): Promise<Streams> => {
  const { servers: url, user, pass: password, inboxPrefix } = nats.credentials(role);
  return connectStreams({
    url,
    user,
    password,
    inboxPrefix,
    name: `headgate-${role}`,
    ...(log ? { onStatus: (status) => log.info('connection to nats-server', { role, status }) } : {}),
  });
};

const declare = async ({ nats }: Servers, now: () => number): Promise<void> => {
  const streams = await connectAs('admin', nats);
  try {
    await declareInstallation(streams, { now: now() });
  } finally {
    await streams.close();
  }
};
