import type { JsonValue } from '@headgate/contracts';
import type { TlsFiles } from '@headgate/service-kit';
import type { Streams } from '@headgate/streams';
import type { ChannelRefusals } from './channels/channel-refusals.js';
import type { ChannelSource } from './channels/channel-source.js';
import type { UsageOptions } from './flag-set/usage-documents.js';

export const GATEWAY_OPTIONS = Symbol('gateway options');

export const HEARTBEAT_MS = 15_000;

export const DEFAULT_MAX_CLIENTS = 15_000;

export const DEFAULT_REQUESTS_PER_SECOND = 2_000;

/** The port of flagd's gRPC services. */
export interface GrpcOptions {
  readonly host: string;
  /** 0: any; `onListening` tells which. */
  readonly port: number;
  readonly tls: TlsFiles | null;
  readonly onListening?: (port: number) => void;
  /** A connection that does not answer one ping before the next is closed. */
  readonly pingEveryMs?: number;
  /** What unfinished requests of all callers may hold together. */
  readonly maxUnfinishedBytes?: number;
}

export interface GatewayOptions {
  /** A promise that resolves when nats-server is there; until then the last good state is served from disk. */
  readonly streams: Streams | Promise<Streams>;
  /** In order of precedence: the first to have a channel of a name serves it. */
  readonly sources: readonly ChannelSource[];
  /** Under it `<root>/<project>.<channel>.*.json`; null keeps nothing. */
  readonly dataDir: string | null;
  readonly now: () => number;
  /** To be read by others beside `/readyz`. */
  readonly refusals?: ChannelRefusals;
  /** Names this process's temporary files. */
  readonly newId: () => string;
  readonly random: () => number;
  /** Event streams of all doors together. */
  readonly maxClients?: number;
  /** Of one address among them; 0 for no limit. Absent: half, and no limit for addresses of this machine. */
  readonly maxClientsPerAddress?: number;
  /** Of one address at the doors that evaluate; 0 for no limit. */
  readonly requestsPerSecond?: number;
  /** Origins whose pages may read the doors for browsers; `*` for all. None when absent: a page must not read what only its visitor's network can. */
  readonly corsOrigins?: readonly string[];
  /** Where the use of flags that were evaluated here is told; nowhere when absent. */
  readonly usage?: UsageOptions;
  /** How long an answer may wait for a version that another gateway has told of. */
  readonly freshnessWaitMs?: number;
  readonly maxChannels?: number;
  readonly heartbeatMs?: number;
  /** How seldom clients get a beat. */
  readonly beatEveryMs?: number;
  /** Absent: no gRPC port. */
  readonly grpc?: GrpcOptions | null;
  /** Attributes that flagd's in-process providers merge into every evaluation, such as the region. */
  readonly syncContext?: { readonly [attribute: string]: JsonValue };
  /** How often flagd's event streams say that they are alive. */
  readonly flagdKeepAliveMs?: number;
  /** How long after a start flagd's clients wait for what is newer than the copy on disk. */
  readonly flagdCatchUpMs?: number;
}
