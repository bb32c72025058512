import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { ServerTooOld, Unavailable } from './errors.js';
import { NatsStreams } from './nats-streams.js';
import type { ConnectionStatus, Streams } from './streams.js';

/** Durable sourcing (ADR-60) and reset of consumers came with it; older servers silently ignore settings we rely on. */
export const MINIMUM_SERVER = '2.14.0';

export interface ConnectOptions {
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** Begins every subject on which answers and deliveries arrive. Default `_INBOX.<user>`: each role may listen to its own only. */
  readonly inboxPrefix?: string;
  /** Shown in the server's monitoring. */
  readonly name: string;
  readonly connectTimeoutMs?: number;
  readonly onStatus?: (status: ConnectionStatus) => void;
}

/** Connects, and goes on reconnecting for as long as it is not closed. Throws `Unavailable` or `ServerTooOld`. */
export const connectStreams = async (options: ConnectOptions): Promise<Streams> => {
  const connection = await open(options);
  try {
    const version = connection.info?.version ?? '0.0.0';
    if (isOlder(version, MINIMUM_SERVER)) throw new ServerTooOld(version, MINIMUM_SERVER);
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const account = await manager.getAccountInfo().catch((cause: unknown) => {
      throw new Unavailable(`JetStream does not answer at ${options.url}: ${(cause as Error).message}`, {
        cause,
      });
    });
    return new NatsStreams(
      connection,
      jetstream(connection),
      manager,
      { domain: account.domain ?? '', inboxPrefix: inboxPrefixOf(options) },
      options.onStatus,
    );
  } catch (error) {
    await connection.close();
    throw error;
  }
};

const inboxPrefixOf = ({ inboxPrefix, user }: ConnectOptions): string =>
  inboxPrefix ?? (user !== undefined && /^[A-Za-z0-9_-]+$/.test(user) ? `_INBOX.${user}` : '_INBOX');

const open = async (options: ConnectOptions): Promise<NatsConnection> => {
  try {
    return await connect({
      servers: options.url,
      name: options.name,
      ...(options.user === undefined ? {} : { user: options.user, pass: options.password ?? '' }),
      inboxPrefix: inboxPrefixOf(options),
      timeout: options.connectTimeoutMs ?? 5_000,
      maxReconnectAttempts: -1,
      // A vendor's server may be down for days, and a password may be rolled while we are away.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: 100,
      reconnectJitter: 100,
      // A dead peer is noticed within 20 s instead of the client's 4 minutes.
      pingInterval: 10_000,
      maxPingOut: 2,
    });
  } catch (cause) {
    const why =
      cause instanceof errors.AuthorizationError ? 'user or password is wrong' : (cause as Error).message;
    throw new Unavailable(`cannot connect to nats-server at ${options.url}: ${why}`, { cause });
  }
};

const isOlder = (version: string, minimum: string): boolean => {
  const have = version.split(/[.-]/).map(Number);
  const want = minimum.split('.').map(Number);
  for (let i = 0; i < want.length; i++) {
    const difference = (have[i] || 0) - (want[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
};
