import { Shutdown } from '@headgate/service-kit';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ChannelDirectory } from '../channels/channel-directory.js';
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
    @Inject(ChannelDirectory) private readonly directory: ChannelDirectory,
    @Inject(Shutdown) shutdown: Shutdown,
  ) {
    this.heartbeat = setInterval(() => this.beat(), options.heartbeatMs ?? HEARTBEAT_MS);
    shutdown.signal.addEventListener('abort', () => this.close());
  }

  of(channel: ServedChannel): RefetchBroadcast {
    const found = this.broadcasts.get(channel);
    if (found !== undefined) return found;
    const { now, random } = this.options;
    const { root } = channel.address.source;
    const broadcast = new RefetchBroadcast({ root, flags: channel.flags, now, random });
    this.broadcasts.set(channel, broadcast);
    return broadcast;
  }

  onApplicationShutdown(): void {
    this.close();
  }

  private beat(): void {
    for (const [channel, broadcast] of this.broadcasts) {
      const { project, channel: name } = channel.address;
      if (this.directory.find(project, name) === channel) broadcast.heartbeat();
      else {
        // A source of higher precedence has it now: those who come back are told of its flags.
        this.broadcasts.delete(channel);
        broadcast.close();
      }
    }
  }

  private close(): void {
    clearInterval(this.heartbeat);
    for (const broadcast of this.broadcasts.values()) broadcast.close();
    this.broadcasts.clear();
  }
}
