import type { Streams } from '@headgate/streams';
import type { ChannelRefusals } from './channels/channel-refusals.js';
import type { ChannelSource } from './gateway-config.js';

export const GATEWAY_OPTIONS = Symbol('gateway options');

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
  readonly maxClients?: number;
  readonly maxChannels?: number;
  readonly heartbeatMs?: number;
  /** How seldom clients get a beat. */
  readonly beatEveryMs?: number;
}
