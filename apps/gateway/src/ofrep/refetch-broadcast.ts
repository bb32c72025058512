import { Fanout } from '../fan-out/fanout.js';
import type { ClientSocket } from '../fan-out/stream-client.js';
import { ChangeGatherer } from '../flag-set/change-gatherer.js';
import type { ChannelFlags } from '../flag-set/channel-flags.js';
import { formatSourceVersion, parseSourceVersion } from './source-version.js';

/** The longest that a timer is set for: then the moments are looked at again, in case the clock was moved. */
const LONGEST_WAIT_MS = 3_600_000;
/** A timer may fire a little early by the clock that it is for. */
const MARGIN_MS = 5;
/** Each event makes every client evaluate all flags anew: more often than this only for a flag that went off. */
const EVENTS_EVERY_MS = 500;
const CATCH_UP_MS = 20_000;
const [LEAST_RETRY_MS, MOST_RETRY_MS] = [1_000, 5_000];

export interface RefetchBroadcastOptions {
  /** Of the source that the flags are from. */
  readonly root: string;
  readonly flags: ChannelFlags;
  readonly now: () => number;
  readonly random: () => number;
  readonly catchUpMs?: number;
}

/** A `net.Socket` is one. */
export interface RefetchSocket extends ClientSocket {
  once(event: 'drain' | 'close', listener: () => void): unknown;
}

/**
 * Tells one channel's OFREP clients when to evaluate again: after a change, and at moments that rules name. Every event is encoded
 * once. Its id says what there is to know, so that a client that comes back knowing it is told nothing.
 */
export class RefetchBroadcast {
  private readonly fanout: Fanout;
  private readonly gatherer: ChangeGatherer;
  private readonly unsubscribe: () => void;
  private readonly waiting = new Set<RefetchSocket>();
  private timer: NodeJS.Timeout | null = null;

  private readonly catchUpMs: number;

  constructor(private readonly options: RefetchBroadcastOptions) {
    this.catchUpMs = options.catchUpMs ?? CATCH_UP_MS;
    this.fanout = new Fanout({ now: options.now }, () => this.event());
    this.gatherer = new ChangeGatherer(options.now, () => options.flags.revision ?? '', EVENTS_EVERY_MS);
    this.gatherer.add(() => this.fanout.send(this.event(), true));
    this.unsubscribe = options.flags.onChange(({ keys, isUrgent }) => {
      this.gatherer.changed(keys, isUrgent);
      this.awaitMoment();
    });
    this.awaitMoment();
  }

  get clientCount(): number {
    return this.fanout.clientCount;
  }

  /**
   * Resolves when the client is told of changes from now on, or is gone. One that knows of newer flags than ours (we were restarted, and
   * have not caught up) hears nothing before we have them: it would evaluate anew and go back, kills included.
   */
  async join(socket: RefetchSocket, lastEventId: string | undefined): Promise<void> {
    const said = parseSourceVersion(lastEventId?.split('@')[0] ?? '');
    const known = said?.root === this.options.root ? said.version : null;
    this.waiting.add(socket);
    const isReached = known === null || (await this.options.flags.reaches(known, this.catchUpMs));
    this.waiting.delete(socket);
    // It asks again in a while, perhaps another gateway.
    if (!isReached) socket.destroy();
    if (socket.destroyed) return;
    const leave = this.fanout.join(socket, () => {
      const retry = Buffer.from(`retry: ${this.retryMs()}\n`);
      return lastEventId === this.id() ? Buffer.concat([retry, END]) : Buffer.concat([retry, this.event()]);
    });
    socket.once('close', leave);
  }

  heartbeat(): void {
    this.fanout.heartbeat();
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.unsubscribe();
    this.gatherer.close();
    this.fanout.close();
    for (const socket of this.waiting) socket.destroy();
  }

  /** Flags in force, and the newest moment at which their answers can have changed by themselves. */
  private id(): string {
    const { last } = this.options.flags.moments();
    return `${this.etag()}${last === null ? '' : `@${last}`}`;
  }

  private etag(): string {
    return formatSourceVersion(this.options.root, this.options.flags.revision);
  }

  private event(): Buffer {
    const { flags } = this.options;
    const { last } = flags.moments();
    const lastModified = Math.max(Math.floor(flags.changedAt / 1_000), last ?? 0);
    const data = { type: 'refetchEvaluation', etag: this.etag(), lastModified };
    return Buffer.from(`id: ${this.id()}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Of its own for each client, so that those cut off together do not come back together. */
  private retryMs(): number {
    return LEAST_RETRY_MS + Math.floor(this.options.random() * (MOST_RETRY_MS - LEAST_RETRY_MS));
  }

  private awaitMoment(): void {
    if (this.timer) clearTimeout(this.timer);
    const { flags, now } = this.options;
    const { last, next } = flags.moments();
    if (next === null) return;
    const waitMs = Math.min(Math.max(next * 1_000 - now(), 0) + MARGIN_MS, LONGEST_WAIT_MS);
    this.timer = setTimeout(() => {
      if (flags.moments().last !== last) this.fanout.send(this.event(), false);
      this.awaitMoment();
    }, waitMs);
    this.timer.unref();
  }
}

const END = Buffer.from('\n');
