import { flagKey, REPORT_LIMITS } from '@headgate/contracts';

/** Keys that the code asked for and the channel does not have: at most as many as a report may carry, the first ones. */
export class UnknownFlags {
  private readonly kept = new Set<string>();
  private droppedCount = 0;

  constructor(private readonly limit: number = REPORT_LIMITS.maxUnknownFlagsPerReport) {}

  /** Times that a key was asked for that finds no room. */
  get dropped(): number {
    return this.droppedCount;
  }

  add(key: unknown): void {
    if (this.kept.has(key as string)) return;
    if (this.kept.size >= this.limit) this.droppedCount += 1;
    // What can be no flag's key is the caller's slip, and could be anything: it does not leave the process.
    else if (flagKey.safeParse(key).success) this.kept.add(key as string);
  }

  delete(key: string): void {
    this.kept.delete(key);
  }

  list(): string[] {
    return [...this.kept];
  }
}
