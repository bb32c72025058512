import { type EmbeddedNats, type EmbeddedPostgres, startNats, startPostgres } from '@headgate/embedded';
import type { Log } from '@headgate/service-kit';
import { installationName, rememberUpstreams, upstreamsOf } from '../mirror/joined-upstreams.js';
import { joinUpstream } from '../mirror/mirror-wiring.js';
import type { UpstreamBundle } from '../mirror/upstream-bundle.js';
import type { StandaloneConfig } from '../standalone-config.js';
import type { Closers } from './closers.js';
import type { DataFolder } from './data-folder.js';
import { keepRunning } from './keep-running.js';

export interface Servers {
  readonly name: string;
  readonly nats: EmbeddedNats;
  readonly postgres: EmbeddedPostgres;
  readonly folder: DataFolder;
  readonly upstreams: readonly UpstreamBundle[];
}

/** nats-server and Postgres of this installation, brought back when they end by themselves, and the mirrors of its upstreams. */
export const startServers = async (
  config: StandaloneConfig,
  folder: DataFolder,
  log: Log,
  closers: Closers,
): Promise<Servers> => {
  const { all: upstreams, fresh } = upstreamsOf(folder.upstreams, config.upstreams);
  const name = installationName(config.name, upstreams);
  const closing = new AbortController();
  const natsKeeper = keepRunning('nats-server', log, closing.signal);
  const nats = await startNats({
    dataDir: folder.nats,
    leaf: {
      root: name,
      host: config.leafHost,
      ...(config.leafPort === 0 ? {} : { port: config.leafPort }),
    },
    onExit: natsKeeper.onExit,
  });
  natsKeeper.watch(nats);
  closers.add('nats-server', () => nats.stop());
  const postgresKeeper = keepRunning('Postgres', log, closing.signal);
  const postgres = await startPostgres({ dataDir: folder.postgres, onExit: postgresKeeper.onExit });
  postgresKeeper.watch(postgres);
  closers.add('Postgres', () => postgres.stop());
  // Last in, first out: nothing is brought back from here on.
  closers.add('watch over the servers', () => closing.abort());
  for (const bundle of upstreams) await joinUpstream(nats, bundle, fresh.has(bundle.name));
  if (fresh.size > 0) rememberUpstreams(folder.upstreams, upstreams);
  log.info('servers run', { nats: nats.version, postgres: postgres.version ?? 'of DATABASE_URL' });
  return { name, nats, postgres, folder, upstreams };
};
