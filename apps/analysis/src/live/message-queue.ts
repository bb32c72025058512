import type { DeliveredMessage, Subscription } from '@headgate/streams';

/** Messages held before the reader waits: enough to keep busy, little enough for any machine (a message is at most 512 KiB). */
const MOST_HELD = 256;

/** Takes a subscription's messages in the background, a bounded number ahead of whoever works through them. */
export class MessageQueue {
  readonly #subscription: Subscription;
  readonly #onChange: () => void;
  readonly #held: DeliveredMessage[] = [];
  #isCaughtUp = false;
  #pending = 0;
  #fault: { readonly cause: unknown } | null = null;
  #resume: (() => void) | null = null;
  readonly #reading: Promise<void>;

  constructor(subscription: Subscription, onChange: () => void) {
    this.#subscription = subscription;
    this.#onChange = onChange;
    subscription.caughtUp.then(
      () => {
        this.#isCaughtUp = true;
        onChange();
      },
      () => undefined,
    );
    this.#reading = this.#read();
  }

  /** Nothing was on its way when the newest message was sent. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp && this.#pending === 0;
  }

  /** The oldest message held; throws when the subscription has ended. */
  peek(): DeliveredMessage | undefined {
    if (this.#held.length === 0 && this.#fault) throw this.#fault.cause;
    return this.#held[0];
  }

  shift(): void {
    this.#held.shift();
    this.#resume?.();
  }

  async close(): Promise<void> {
    await this.#subscription.close();
    this.#resume?.();
    await this.#reading;
  }

  async #read(): Promise<void> {
    try {
      for await (const message of this.#subscription) {
        this.#held.push(message);
        this.#pending = message.pending;
        this.#onChange();
        if (this.#held.length >= MOST_HELD)
          await new Promise<void>((resolve) => {
            this.#resume = resolve;
          });
      }
      this.#fault = { cause: new Error('the subscription to TELEMETRY has ended') };
    } catch (cause) {
      this.#fault = { cause };
    }
    this.#onChange();
  }
}
