import { type ChannelState, channelFilter } from '@headgate/contracts';
import { type Streams, StreamsError, type Subscription } from '@headgate/streams';
import type { ChannelReader } from '@headgate/trust';
import { ChannelIntake, type ChannelIntakeOptions } from './channel-intake.js';
import { Shelf } from './shelf.js';

/** Before the stream is looked at again; doubled while that finds nothing newer. */
const PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 5_000;

export interface ChannelStreamOptions extends ChannelIntakeOptions {
  readonly streams: Streams;
  /** `FLAGS`, or the mirror of an upstream: `UP_<root>`. */
  readonly stream: string;
  /** A state of before the restart (`reader.localState()`), verified again and served until the stream has newer. */
  readonly local?: ChannelState | null;
  /** The stream ended or is not there; it is opened again after a pause. */
  readonly onInterrupted?: (error: Error) => void;
}

/** A verified channel, followed until closed, across reconnects, re-created streams and gaps. */
export interface ChannelStream {
  readonly reader: ChannelReader;
  /** Sequence of the newest message seen on the channel's subjects; 0 for none. */
  readonly lastSequence: number;
  /** Resolves when all that was in the stream at the start was read; there may still be no state. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads a channel from the newest message of each subject and follows it. `onChange` and `onRefused` are called in order, one
 * at a time, and must not throw. Rejects nothing: what fails is told to `onInterrupted` and tried again.
 */
export const openChannelStream = (options: ChannelStreamOptions): ChannelStream =>
  new FollowedChannel(options);

class FollowedChannel implements ChannelStream {
  readonly ready: Promise<void>;
  lastSequence = 0;
  readonly #intake: ChannelIntake;
  readonly #done: Promise<void>;
  #becomeReady: () => void = () => {};
  #subscription: Subscription | null = null;
  #wake: () => void = () => {};
  #isClosed = false;

  constructor(private readonly options: ChannelStreamOptions) {
    this.#intake = new ChannelIntake(options);
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    if (options.local) this.#intake.restore(options.local);
    this.#done = this.#follow();
  }

  get reader(): ChannelReader {
    return this.#intake.reader;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    await this.#subscription?.close();
    await this.#done;
  }

  async #follow(): Promise<void> {
    let pauseMs = PAUSE_MS;
    while (!this.#isClosed) {
      const { tip } = this.reader;
      try {
        await this.#followOnce();
      } catch (error) {
        if (!(error instanceof StreamsError)) throw error;
        this.options.onInterrupted?.(error);
      }
      if (this.#isClosed) break;
      pauseMs = this.reader.tip === tip ? Math.min(2 * pauseMs, LONGEST_PAUSE_MS) : PAUSE_MS;
      await this.#pause(pauseMs);
    }
    this.#becomeReady();
  }

  /** Ends when the subscription does, or when only another look at everything can help. */
  async #followOnce(): Promise<void> {
    const { streams, stream, project, channel } = this.options;
    const subscription = streams.follow(stream, {
      filter: channelFilter(project, channel),
      from: 'last-per-subject',
    });
    this.#subscription = subscription;
    if (this.#isClosed) return subscription.close();
    let shelf: Shelf | null = new Shelf(project, channel);
    const takeAll = () => {
      if (shelf !== null) this.#intake.takeAll(shelf);
      shelf = null;
      this.#becomeReady();
    };
    // The first message with nothing behind it says the same sooner; under constant writing there may be none.
    subscription.caughtUp.then(takeAll, () => {});
    for await (const message of subscription) {
      this.lastSequence = Math.max(this.lastSequence, message.sequence);
      if (shelf === null) {
        if (this.#intake.take(message)) return subscription.close();
      } else {
        (shelf as Shelf).put(message);
        if (message.pending === 0) takeAll();
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
