import type { Freshness } from '@headgate/trust';

export interface FreshnessWatchOptions {
  readonly now: () => number;
  readonly read: () => Freshness['status'];
  /** When the newest beat ends; null without one. */
  readonly expiresAt: () => number | null;
  readonly onChanged: () => void;
}

/** Trust may end before the beat does, and clocks are set: an expiry is noticed this late at most. */
const MAX_WAIT_MS = 60_000;

/** Notices that flags went stale, which happens when nothing happens. Does not keep the process alive. */
export class FreshnessWatch {
  private known: Freshness['status'];
  private timer: NodeJS.Timeout | null = null;
  private isClosed = false;

  constructor(private readonly options: FreshnessWatchOptions) {
    this.known = options.read();
    this.look();
  }

  look(): void {
    if (this.isClosed) return;
    const { now, read, expiresAt, onChanged } = this.options;
    const status = read();
    const hasChanged = status !== this.known;
    this.known = status;
    const end = expiresAt();
    // A millisecond later, when it has ended; never at once, whatever the clocks say.
    const wait = end === null || status !== 'fresh' ? MAX_WAIT_MS : Math.max(1, end - now() + 1);
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), Math.min(wait, MAX_WAIT_MS));
    this.timer.unref();
    if (hasChanged) onChanged();
  }

  close(): void {
    this.isClosed = true;
    if (this.timer) clearTimeout(this.timer);
  }
}
