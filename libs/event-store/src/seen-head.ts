import type { LogPosition } from '@headgate/contracts';
import { isAheadOf } from './log-order.js';

/** What this process has read or written of a project. Outlives the fold: it must not vanish from the log. */
export class SeenHead {
  private newest: LogPosition | null = null;
  /** Set when the log has another event where `newest` was. */
  private forkedFrom: LogPosition | null = null;

  get isEmpty(): boolean {
    return this.newest === null;
  }

  see(head: LogPosition): void {
    const { newest } = this;
    if (newest?.epoch === head.epoch && newest.position === head.position && newest.hash !== head.hash)
      this.forkedFrom = newest;
    if (this.forkedFrom === null && isAheadOf(head, newest)) this.newest = head;
  }

  /** The log is being read from its start again: whether it is forked will show anew. */
  startAnew(): void {
    this.forkedFrom = null;
  }

  /** What a log that ends at `head` lacks; null when it lacks nothing. */
  missingFrom(head: LogPosition | null): LogPosition | null {
    return this.forkedFrom ?? (isAheadOf(this.newest, head) ? this.newest : null);
  }
}
