import { bucket } from '@headgate/evaluation';
import {
  beginPeriod,
  beginWatch,
  foldReport,
  type InstanceRow,
  type JudgedReport,
  openRow,
  type PreRow,
  preRowOf,
} from '@headgate/judge';

/** A site's fleet is some ten thousand; beyond this a rollout judges the instances that it knows. */
const MAX_ROWS = 200_000;

interface Entry {
  row: InstanceRow;
  readonly bucketPpm: number;
  readonly firstReportAt: number;
}

interface PeriodStart {
  readonly startAt: number;
  readonly lengthsMs: readonly number[];
}

interface WatchStart {
  readonly since: number;
  readonly lostAfterMs: number;
}

/** The rows of one rollout: every instance that reported since it was requested, newcomers included. */
export class RolloutRows {
  readonly #seed: string;
  readonly #entries = new Map<string, Entry>();
  #period: PeriodStart | null = null;
  #watch: WatchStart | null = null;
  #turnedAway = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Reports of instances beyond `MAX_ROWS`. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** False for a report that changed nothing: one that was seen or overtaken, or of an instance without a row. */
  fold(report: JudgedReport, at: number): boolean {
    const entry = this.#entries.get(report.instance) ?? this.#open(report.instance, at);
    if (!entry) return false;
    const row = foldReport(entry.row, report, at);
    const isNew = row !== entry.row;
    entry.row = row;
    return isNew;
  }

  beginPeriod(period: PeriodStart): void {
    this.#period = period;
    for (const entry of this.#entries.values()) entry.row = beginPeriod(entry.row, period);
  }

  beginWatch(watch: WatchStart): void {
    this.#watch = watch;
    for (const entry of this.#entries.values()) entry.row = beginWatch(entry.row, watch);
  }

  rows(): InstanceRow[] {
    return Array.from(this.#entries.values(), ({ row }) => row);
  }

  /** Instances that reported through the whole pre-period. */
  preRows(): PreRow[] {
    const found: PreRow[] = [];
    for (const { row, bucketPpm } of this.#entries.values()) {
      const preRow = preRowOf(row, bucketPpm);
      if (preRow) found.push(preRow);
    }
    return found;
  }

  readonly bucketPpm = (instance: string): number =>
    this.#entries.get(instance)?.bucketPpm ?? bucket(this.#seed, instance);

  /**
   * Hours that instances were seen alive on the new path: from the step that took each in (or its first report) to its last
   * report. What came after the last report is not known and not counted.
   */
  onInstanceHours(steps: readonly { readonly weightPpm: number; readonly enteredAt: number }[]): number {
    let totalMs = 0;
    for (const { row, bucketPpm, firstReportAt } of this.#entries.values()) {
      const joined = steps.find(({ weightPpm }) => bucketPpm < weightPpm);
      if (!joined) continue;
      totalMs += Math.max(0, (row.lastReportAt ?? 0) - Math.max(joined.enteredAt, firstReportAt));
    }
    return totalMs / 3_600_000;
  }

  #open(instance: string, at: number): Entry | null {
    if (this.#entries.size >= MAX_ROWS) {
      this.#turnedAway += 1;
      return null;
    }
    let row = openRow(instance);
    if (this.#period) row = beginPeriod(row, this.#period);
    if (this.#watch) row = beginWatch(row, this.#watch);
    const entry = { row, bucketPpm: bucket(this.#seed, instance), firstReportAt: at };
    this.#entries.set(instance, entry);
    return entry;
  }
}
