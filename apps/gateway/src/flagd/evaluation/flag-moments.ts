import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ServedChannel } from '../../channels/served-channel.js';
import { GATEWAY_OPTIONS, type GatewayOptions } from '../../gateway-options.js';

/** The longest that a timer is set for: then the moments are looked at again, in case the clock was moved. */
const LONGEST_WAIT_MS = 3_600_000;
/** A timer may fire a little early by the clock that it is for. */
const MARGIN_MS = 5;

/** Tells of the moments at which a channel's answers can change although nothing was published; watches while anybody listens. */
@Injectable()
export class FlagMoments implements OnApplicationShutdown {
  private readonly watches = new Map<ServedChannel, MomentWatch>();

  constructor(@Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions) {}

  /** Returns what takes the listener off again. */
  listen(channel: ServedChannel, listener: () => void): () => void {
    let watch = this.watches.get(channel);
    if (watch === undefined) {
      watch = new MomentWatch(channel, this.options.now);
      this.watches.set(channel, watch);
    }
    watch.listeners.add(listener);
    return () => {
      watch.listeners.delete(listener);
      if (watch.listeners.size > 0 || this.watches.get(channel) !== watch) return;
      this.watches.delete(channel);
      watch.close();
    };
  }

  onApplicationShutdown(): void {
    for (const watch of this.watches.values()) watch.close();
    this.watches.clear();
  }
}

class MomentWatch {
  readonly listeners = new Set<() => void>();
  private readonly forget: () => void;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly channel: ServedChannel,
    private readonly now: () => number,
  ) {
    this.forget = channel.flags.onChange(() => this.wait());
    this.wait();
  }

  close(): void {
    this.forget();
    if (this.timer) clearTimeout(this.timer);
  }

  private wait(): void {
    if (this.timer) clearTimeout(this.timer);
    const { next } = this.channel.flags.moments();
    if (next === null) return;
    const waitMs = Math.min(Math.max(next * 1_000 - this.now(), 0) + MARGIN_MS, LONGEST_WAIT_MS);
    this.timer = setTimeout(() => {
      if (this.now() >= next * 1_000) for (const listener of [...this.listeners]) listener();
      this.wait();
    }, waitMs);
  }
}
