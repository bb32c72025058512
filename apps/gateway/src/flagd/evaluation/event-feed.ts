import type { JsonObject } from '@bufbuild/protobuf';
import type { ServedChannel } from '../../channels/served-channel.js';
import type { FlagsChange } from '../../flag-set/change-gatherer.js';
import { type LiveStream, SHUTTING_DOWN } from '../live-stream.js';
import type { FlagMoments } from './flag-moments.js';

/** A message of EventStream. */
export interface FlagdEvent {
  readonly type: 'provider_ready' | 'configuration_change' | 'keep_alive' | 'provider_shutdown';
  readonly data?: JsonObject;
}

/** The way to one client, over gRPC or Connect. */
export interface EventSink {
  /** `onSent`: when it has left for the client's machine. */
  send(event: FlagdEvent, onSent: () => void): void;
  endUnavailable(message: string): void;
  cut(): void;
  onClose(listener: () => void): void;
}

const READY: FlagdEvent = { type: 'provider_ready' };
const KEEP_ALIVE: FlagdEvent = { type: 'keep_alive' };
/** flagd's word for "ask again" without a flag's name: rules moved by the clock alone. */
const MOMENT: FlagdEvent = { type: 'configuration_change', data: { flags: {} } };
const SHUTDOWN: FlagdEvent = { type: 'provider_shutdown' };

/** Made for the first stream that needs it and the same for all, so that each is encoded once. */
const changeEvents = new WeakMap<FlagsChange, FlagdEvent>();

/** One client of EventStream: says that it is ready, then names what changed. What comes while it is slow is told together. */
export class EventFeed implements LiveStream {
  stalledSince: number | null = null;
  private pending: Set<string> | null = null;
  /** To be told again: at the next turn, and at the one after it. */
  private due: ReadonlySet<string> = new Set();
  private readonly repeated = new Set<string>();
  private repeatTimer: NodeJS.Timeout | null = null;

  constructor(
    private readonly sink: EventSink,
    private readonly channel: ServedChannel,
    moments: FlagMoments,
    private readonly now: () => number,
    /** A change is told once more after one to two of these; null: once is enough. */
    private readonly repeatAfterMs: number | null,
  ) {
    sink.onClose(() => this.forgetRepeat());
    sink.onClose(moments.listen(channel, () => this.onMoment()));
    sink.onClose(channel.flags.onChange((change) => this.onChange(change)));
    // Clients over rpc answer from what they kept while their stream was away, and do not let go of it when it is back.
    const missed = repeatAfterMs === null ? [] : channel.flags.recentlyChanged();
    if (missed.length > 0) this.pending = new Set(missed);
    this.send(READY);
  }

  keepAlive(): void {
    if (this.stalledSince === null) this.send(KEEP_ALIVE);
  }

  shutDown(): void {
    this.sink.send(SHUTDOWN, () => {});
    this.sink.endUnavailable(SHUTTING_DOWN);
  }

  cut(): void {
    this.sink.cut();
  }

  private onMoment(): void {
    if (this.stalledSince === null) this.send(MOMENT);
    else this.pending ??= new Set();
  }

  private onChange(change: FlagsChange): void {
    this.repeatLater(change.keys);
    if (this.stalledSince !== null) {
      this.pending ??= new Set();
      for (const key of change.keys) this.pending.add(key);
      return;
    }
    let event = changeEvents.get(change);
    if (event === undefined) {
      event = changeEvent(this.channel, change.keys);
      changeEvents.set(change, event);
    }
    this.send(event);
  }

  /**
   * Clients over rpc keep STATIC answers until they are told of a change. An answer from before the change that is still on its
   * way when they are told is kept after it, and a kill would not reach them: so they are told again when it must have come.
   */
  private repeatLater(keys: readonly string[]): void {
    if (this.repeatAfterMs === null) return;
    for (const key of keys) this.repeated.add(key);
    this.repeatTimer ??= setTimeout(() => this.armRepeat(), this.repeatAfterMs);
  }

  /** What changed since waits for the next turn: everything is told again, however often something changes. */
  private armRepeat(): void {
    const again = [...this.due];
    this.due = new Set(this.repeated);
    this.repeated.clear();
    this.repeatTimer = this.due.size > 0 ? setTimeout(() => this.armRepeat(), this.repeatAfterMs ?? 0) : null;
    if (again.length === 0) return;
    if (this.stalledSince === null) this.send(changeEvent(this.channel, again));
    else this.pending = new Set([...(this.pending ?? []), ...again]);
  }

  private forgetRepeat(): void {
    if (this.repeatTimer) clearTimeout(this.repeatTimer);
  }

  private send(event: FlagdEvent): void {
    this.stalledSince = this.now();
    this.sink.send(event, () => {
      this.stalledSince = null;
      const keys = this.pending;
      this.pending = null;
      if (keys !== null) this.send(changeEvent(this.channel, [...keys]));
    });
  }
}

const changeEvent = ({ flags, address }: ServedChannel, keys: readonly string[]): FlagdEvent => {
  const source = `${address.project}/${address.channel}`;
  const changes = keys.map((key) => [
    key,
    { type: flags.find(key) === undefined ? 'delete' : 'update', source, flagKey: key },
  ]);
  return { type: 'configuration_change', data: { flags: Object.fromEntries(changes) as JsonObject } };
};
