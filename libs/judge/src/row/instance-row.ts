import type { InstanceReport } from '@headgate/contracts';

/** The part of a report that the judge reads. `metrics` count from the start of the process named by `bootId`. */
export type JudgedReport = Pick<InstanceReport, 'instance' | 'bootId' | 'seq' | 'metrics' | 'crash'>;

/** What an instance has added up to over all its boots and resets. */
export interface Totals {
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, GaugeTotal>>;
}

/** `logSum` adds up the logarithms of the `logCount` readings that had one. */
export interface GaugeTotal {
  readonly sum: number;
  readonly count: number;
  readonly logSum: number;
  readonly logCount: number;
}

/** A stretch of time over which an instance is read: the pre-period, or one step after its warm-up. */
export interface Period {
  readonly startAt: number;
  /** Ascending lengths after which the totals are kept: the pre-period's halves, a step's quarter, half and whole bake. */
  readonly lengthsMs: readonly number[];
  /** Totals at the first report at or after `startAt`. */
  readonly opened?: Mark;
  /** Totals at the first later report at or after the end of each length; shorter than `lengthsMs` until all have passed. */
  readonly closed: readonly Mark[];
}

export interface Mark {
  readonly at: number;
  readonly totals: Totals;
}

/** What happened first, and when, since the rollout began. */
export interface Watch {
  readonly since: number;
  readonly lostAfterMs: number;
  /** When silence first lasted longer than `lostAfterMs`; also for an instance that came back. */
  readonly lostAt?: number;
  readonly eventAt: Readonly<Record<string, number>>;
}

/** The cumulative row of one instance. Plain JSON; a report replaces it and changes nothing in place. */
export interface InstanceRow {
  readonly instance: string;
  /** Null before the first report. */
  readonly lastReportAt: number | null;
  readonly totals: Totals;
  readonly boots: Readonly<Record<string, Boot>>;
  readonly period?: Period;
  readonly watch?: Watch;
}

/** The newest report of one process: later ones are differenced against it, older ones are already contained in it. */
export interface Boot {
  readonly seq: number;
  readonly at: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, BootGauge>>;
  readonly events: readonly string[];
}

export interface BootGauge {
  readonly sum: number;
  readonly count: number;
  readonly logSum?: number;
}

export function openRow(instance: string): InstanceRow {
  return { instance, lastReportAt: null, totals: { counters: {}, gauges: {} }, boots: {} };
}
