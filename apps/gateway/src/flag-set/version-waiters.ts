import { type FlagsVersion, isAtLeast } from './flags-version.js';

interface Waiter {
  readonly demanded: FlagsVersion;
  readonly settle: (isReached: boolean) => void;
}

/** Anybody can demand what will never be. */
const MAX_WAITERS = 1_000;

/** Those who want no answer from flags older than a version they know of. */
export class VersionWaiters {
  private readonly waiters = new Set<Waiter>();

  constructor(private readonly current: () => FlagsVersion | null) {}

  /** Whether the version was reached within `waitMs`; no waiting when too many wait already. */
  wait(demanded: FlagsVersion, waitMs: number): Promise<boolean> {
    const current = this.current();
    if (current !== null && isAtLeast(current, demanded)) return Promise.resolve(true);
    if (waitMs <= 0 || this.waiters.size >= MAX_WAITERS) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => waiter.settle(false), waitMs);
      const waiter: Waiter = {
        demanded,
        settle: (isReached) => {
          clearTimeout(timer);
          this.waiters.delete(waiter);
          resolve(isReached);
        },
      };
      this.waiters.add(waiter);
    });
  }

  moved(): void {
    const current = this.current();
    if (current === null) return;
    for (const waiter of [...this.waiters]) if (isAtLeast(current, waiter.demanded)) waiter.settle(true);
  }

  close(): void {
    for (const waiter of [...this.waiters]) waiter.settle(false);
  }
}
