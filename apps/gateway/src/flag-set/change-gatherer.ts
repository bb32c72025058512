export interface FlagsChange {
  /** Keys of the flags that are served differently, or not any more. */
  readonly keys: readonly string[];
  readonly revision: string;
  /** One of them went off. */
  readonly isUrgent: boolean;
}

/** Tells listeners of changes as the stream of commits does: at once after a quiet moment, then together, what is urgent always at once. */
export class ChangeGatherer {
  private readonly listeners = new Set<(change: FlagsChange) => void>();
  private gathered = new Set<string>();
  private isUrgent = false;
  private nextAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly now: () => number,
    private readonly revision: () => string,
    private readonly tickMs = 4,
  ) {}

  /** Listeners must not throw. Returns what takes the listener off again. */
  add(listener: (change: FlagsChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed(keys: Iterable<string>, isUrgent: boolean): void {
    for (const key of keys) this.gathered.add(key);
    this.isUrgent ||= isUrgent;
    const waitMs = isUrgent ? 0 : this.nextAt - this.now();
    if (waitMs <= 0) this.tell();
    else this.timer ??= setTimeout(() => this.tell(), Math.min(waitMs, this.tickMs));
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.listeners.clear();
  }

  private tell(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const change = {
      keys: [...this.gathered].sort(),
      revision: this.revision(),
      isUrgent: this.isUrgent,
    };
    this.gathered = new Set();
    this.isUrgent = false;
    this.nextAt = this.now() + this.tickMs;
    for (const listener of [...this.listeners]) listener(change);
  }
}
