import { DeliveryQueue } from './delivery-queue.js';
import { DeliveryBroken } from './errors.js';
import type { DeliveredMessage, StoredMessage, Subscription } from './streams.js';
import { subjectMatches } from './subject-match.js';

/** A subscription of the in-memory twin: what the stream held at the start, then what it is offered. */
export class MemoryDelivery implements Subscription {
  readonly caughtUp: Promise<void>;
  cursor = 0;
  private readonly queue = new DeliveryQueue<DeliveredMessage>();
  private markCaughtUp!: () => void;
  private failCaughtUp!: (error: Error) => void;
  private goal = Number.POSITIVE_INFINITY;
  private taken = 0;

  constructor(
    private readonly filter: string,
    private readonly leave: (own: MemoryDelivery) => void,
  ) {
    this.caughtUp = new Promise((resolve, reject) => {
      this.markCaughtUp = resolve;
      this.failCaughtUp = reject;
    });
    this.caughtUp.catch(() => {});
  }

  start(messages: readonly StoredMessage[]): void {
    const wanted = messages.filter((message) => subjectMatches(this.filter, message.subject));
    this.goal = wanted.length;
    if (this.goal === 0) this.markCaughtUp();
    for (const [index, message] of wanted.entries()) this.offer(message, wanted.length - index - 1);
  }

  offer(message: StoredMessage, pending: number): void {
    if (!subjectMatches(this.filter, message.subject)) return;
    this.cursor = message.sequence;
    this.queue.push({ ...message, pending });
  }

  end(failure: Error | null): void {
    this.leave(this);
    this.queue.end(failure);
    this.failCaughtUp(failure ?? new DeliveryBroken('following was closed before it caught up'));
  }

  async *[Symbol.asyncIterator](): AsyncIterator<DeliveredMessage> {
    try {
      for (let message = await this.queue.take(); message !== null; message = await this.queue.take()) {
        yield message;
        this.taken += 1;
        if (this.taken === this.goal) this.markCaughtUp();
      }
    } finally {
      this.end(null);
    }
  }

  async close(): Promise<void> {
    this.end(null);
  }
}
