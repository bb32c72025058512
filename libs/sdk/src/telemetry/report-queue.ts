export interface QueuedReport {
  readonly seq: number;
  readonly body: string;
  failures: number;
}

/**
 * Reports that wait for a collector, oldest first. Bounded: totals are cumulative, so a report that is dropped costs the
 * reader a point in time, and no count.
 */
export class ReportQueue {
  private readonly waiting: QueuedReport[] = [];
  private droppedCount = 0;

  constructor(private readonly limit: number) {}

  get dropped(): number {
    return this.droppedCount;
  }

  get oldest(): QueuedReport | undefined {
    return this.waiting[0];
  }

  push(report: QueuedReport): void {
    this.waiting.push(report);
    if (this.waiting.length > this.limit) this.drop();
  }

  /** Accepted, or refused for good. One that was dropped while it was being sent is gone already. */
  settle(report: QueuedReport): void {
    const at = this.waiting.indexOf(report);
    if (at !== -1) this.waiting.splice(at, 1);
  }

  dropAll(): void {
    while (this.waiting.length > 0) this.drop();
  }

  private drop(): void {
    this.waiting.shift();
    this.droppedCount += 1;
  }
}
