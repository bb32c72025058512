import { Shutdown } from '@headgate/service-kit';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ServedChannel } from '../channels/served-channel.js';
import { GATEWAY_OPTIONS, type GatewayOptions, HEARTBEAT_MS } from '../gateway-options.js';
import { RefetchBroadcast } from './refetch-broadcast.js';

/** The event streams of all channels; a channel has none until its first client comes. */
@Injectable()
export class OfrepEvents implements OnApplicationShutdown {
  private readonly broadcasts = new Map<ServedChannel, RefetchBroadcast>();
  private readonly heartbeat: NodeJS.Timeout;

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(Shutdown) shutdown: Shutdown,
  ) {
    this.heartbeat = setInterval(() => {
      for (const broadcast of this.broadcasts.values()) broadcast.heartbeat();
    }, options.heartbeatMs ?? HEARTBEAT_MS);
    shutdown.signal.addEventListener('abort', () => this.close());
  }

  of(channel: ServedChannel): RefetchBroadcast {
    const found = this.broadcasts.get(channel);
    if (found !== undefined) return found;
    const { now, random } = this.options;
    const broadcast = new RefetchBroadcast({ flags: channel.flags, now, random });
    this.broadcasts.set(channel, broadcast);
    return broadcast;
  }

  onApplicationShutdown(): void {
    this.close();
  }

  private close(): void {
    clearInterval(this.heartbeat);
    for (const broadcast of this.broadcasts.values()) broadcast.close();
    this.broadcasts.clear();
  }
}
