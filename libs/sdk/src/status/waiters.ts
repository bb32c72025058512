/** More at once is a wait per request: those beyond go on with what there is. */
const MAX_WAITING = 10_000;
const MAX_WAIT_MS = 2_147_483_647;

/** Callers waiting for one thing to happen, each with its own patience. */
export class Waiters {
  private readonly waiting = new Set<(happened: boolean) => void>();

  /** True once `settle(true)` was called, false when the time is up. Keeps the process alive for that long. */
  wait(timeoutMs: number): Promise<boolean> {
    if (this.waiting.size >= MAX_WAITING) return Promise.resolve(false);
    return new Promise((resolve) => {
      const patience = Number.isFinite(timeoutMs) ? Math.min(Math.max(0, timeoutMs), MAX_WAIT_MS) : 0;
      const settle = (happened: boolean): void => {
        clearTimeout(timer);
        this.waiting.delete(settle);
        resolve(happened);
      };
      const timer = setTimeout(() => settle(false), patience);
      this.waiting.add(settle);
    });
  }

  settle(happened: boolean): void {
    for (const settle of [...this.waiting]) settle(happened);
  }
}
