import { Log } from '@headgate/service-kit';
import { Inject, Injectable } from '@nestjs/common';
import type { ServedChannel } from '../../channels/served-channel.js';
import { GATEWAY_OPTIONS, type GatewayOptions } from '../../gateway-options.js';
import { MAX_MESSAGE_BYTES, PreparedStates } from './prepared-states.js';

/** The prepared state of each channel. */
@Injectable()
export class SyncStates {
  private readonly states = new WeakMap<ServedChannel, PreparedStates>();

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(Log) private readonly log: Log,
  ) {}

  of(channel: ServedChannel): PreparedStates {
    const found = this.states.get(channel);
    if (found !== undefined) return found;
    const { project, channel: name } = channel.address;
    const states = new PreparedStates(channel.flags, this.options.syncContext ?? null, (bytes) =>
      this.log.error('a channel is too large for flagd clients; they keep what they have', {
        project,
        channel: name,
        bytes,
        limit: MAX_MESSAGE_BYTES,
      }),
    );
    this.states.set(channel, states);
    return states;
  }
}
