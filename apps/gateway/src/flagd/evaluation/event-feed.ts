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

  constructor(
    private readonly sink: EventSink,
    private readonly channel: ServedChannel,
    moments: FlagMoments,
    private readonly now: () => number,
  ) {
    sink.onClose(moments.listen(channel, () => this.onMoment()));
    sink.onClose(channel.flags.onChange((change) => this.onChange(change)));
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
