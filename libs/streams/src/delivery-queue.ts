/**
 * What arrives by callback, taken by one async iterator in the order of arrival. Nothing is dropped: whoever fills it holds
 * the sender back (`whenTaken` runs when the iterating side reaches that point).
 */
export class DeliveryQueue<T> {
  private items: (T | (() => void))[] = [];
  private at = 0;
  private waiting: ((end: boolean) => void) | null = null;
  private ended = false;
  private failure: Error | null = null;

  push(item: T): void {
    if (this.ended) return;
    this.items.push(item);
    this.wake(false);
  }

  whenTaken(action: () => void): void {
    if (this.ended) return;
    this.items.push(action);
    this.wake(false);
  }

  /** What was pushed before is still delivered when it ends with a failure; a plain end drops it. */
  end(failure: Error | null): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = failure;
    if (failure === null) this.items = [];
    this.wake(true);
  }

  /** Null at the end; throws the failure that ended it. */
  async take(): Promise<T | null> {
    for (;;) {
      const item = this.shift();
      if (item !== undefined) {
        if (typeof item !== 'function') return item;
        (item as () => void)();
        continue;
      }
      if (this.failure !== null) throw this.failure;
      if (this.ended) return null;
      await new Promise<boolean>((resolve) => {
        this.waiting = resolve;
      });
    }
  }

  private shift(): T | (() => void) | undefined {
    if (this.at < this.items.length) {
      const item = this.items[this.at];
      this.at += 1;
      // Compacting in blocks keeps taking O(1): Array.shift on a long backlog is not.
      if (this.at === 4_096) {
        this.items = this.items.slice(this.at);
        this.at = 0;
      }
      return item;
    }
    this.items = [];
    this.at = 0;
    return undefined;
  }

  private wake(end: boolean): void {
    const { waiting } = this;
    this.waiting = null;
    waiting?.(end);
  }
}
