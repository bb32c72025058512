/** Longer than flagd's clients wait between two attempts at a stream. */
const KEPT_MS = 300_000;
const MOST_KEYS = 2_000;

/** Which flags changed lately, for clients that were not listening when they did. Newest last; the oldest go first. */
export class RecentChanges {
  private readonly changedAt = new Map<string, number>();

  constructor(private readonly now: () => number) {}

  note(keys: Iterable<string>): void {
    const now = this.now();
    for (const key of keys) {
      this.changedAt.delete(key);
      this.changedAt.set(key, now);
    }
    for (const key of this.changedAt.keys()) {
      if (this.changedAt.size <= MOST_KEYS) break;
      this.changedAt.delete(key);
    }
  }

  keys(): readonly string[] {
    const since = this.now() - KEPT_MS;
    for (const [key, at] of this.changedAt) {
      if (at >= since) break;
      this.changedAt.delete(key);
    }
    return [...this.changedAt.keys()];
  }
}
