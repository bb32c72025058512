import type { StoredEvent } from '@headgate/event-store';

const BATCH = 5_000;
/** Of one batch: events may be large, and a message to Postgres may not. */
const BATCH_BYTES = 16 * 1024 * 1024;
const MOST = 20_000;
const MOST_BYTES = 4 * BATCH_BYTES;

/** Events taken from the log and not in Postgres yet, oldest first. */
export class PendingEvents {
  readonly #events: StoredEvent[] = [];
  #bytes = 0;

  get length(): number {
    return this.#events.length;
  }

  push(stored: StoredEvent): void {
    this.#events.push(stored);
    this.#bytes += stored.written.length;
  }

  hasProject(project: string): boolean {
    return this.#events.some(({ event }) => event.project === project);
  }

  /** `share` of what may wait here, by number or by size. */
  isFull(share: number): boolean {
    return this.#events.length >= MOST * share || this.#bytes >= MOST_BYTES * share;
  }

  /** At least one event, however large, when there is any. */
  nextBatch(): readonly StoredEvent[] {
    let bytes = 0;
    const end = this.#events.findIndex(({ written }, index) => {
      bytes += written.length;
      return index > 0 && (index >= BATCH || bytes > BATCH_BYTES);
    });
    return end < 0 ? [...this.#events] : this.#events.slice(0, end);
  }

  /** The oldest are in. */
  drop(count: number): void {
    for (const { written } of this.#events.splice(0, count)) this.#bytes -= written.length;
  }
}
