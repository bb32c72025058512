import type { GaugeMetric, MetricDefinition, RatioMetric } from '../metric.js';
import { HEARTBEAT_LOST } from '../metric.js';
import type { RolloutPlan } from '../plan/rollout-plan.js';
import { usesWindows } from '../plan/uses-windows.js';
import { subtract } from './begin.js';
import type { GaugeTotal, InstanceRow, Period, Totals } from './instance-row.js';
import { meanLevel } from './mean-level.js';
import type { PreRow } from './pre-row.js';
import type {
  GaugeColumns,
  MetricColumns,
  RareEventColumns,
  RatioColumns,
  RatioSums,
  StepTable,
} from './step-table.js';

export interface Tabulation {
  readonly plan: RolloutPlan;
  readonly step: number;
  readonly stepStartedAt: number;
  readonly now: number;
  readonly rows: readonly InstanceRow[];
  readonly preRows: readonly PreRow[];
  /** The rollout's bucketing; the canary is what lies below the step's weight. */
  readonly bucketPpm: (instance: string) => number;
}

/** What one instance did in the step and before, ready to be read metric by metric. */
interface Reading {
  readonly row: InstanceRow;
  readonly now: Totals | null;
  readonly windows: readonly (Totals | null)[];
  readonly pre: Totals | null;
}

/** Turns rows into the columns of one look. A row whose period is not this step's counts as not having reported. */
export function tabulate(input: Tabulation): StepTable {
  const { plan, step, stepStartedAt, now } = input;
  const startAt = stepStartedAt + plan.policy.warmUpMs;
  const preRows = new Map(input.preRows.map((row) => [row.instance, row]));
  const rows = [...input.rows].sort((a, b) =>
    a.instance < b.instance ? -1 : a.instance > b.instance ? 1 : 0,
  );
  const readings = rows.map((row) => readRow(row, startAt, preRows.get(row.instance)));
  const weightPpm = plan.steps[step]!.weightPpm;
  return {
    instances: rows.map((row) => row.instance),
    canary: Uint8Array.from(rows, (row) => (input.bucketPpm(row.instance) < weightPpm ? 1 : 0)),
    known: Uint8Array.from(rows, (row) => (preRows.has(row.instance) ? 1 : 0)),
    reported: Uint8Array.from(rows, (row) => (openedIn(row, startAt) ? 1 : 0)),
    lostAt: Float64Array.from(rows, (row) => lostAt(row, now)),
    finishedAt: [finishedAt(rows, startAt, 0), finishedAt(rows, startAt, 1), finishedAt(rows, startAt, 2)],
    metrics: plan.metrics.map((metric) =>
      columnsOf(metric.definition, readings, usesWindows(metric, step), now),
    ),
  };
}

function openedIn(row: InstanceRow, startAt: number): Period | undefined {
  return row.period?.startAt === startAt && row.period.opened !== undefined ? row.period : undefined;
}

function readRow(row: InstanceRow, startAt: number, preRow: PreRow | undefined): Reading {
  const period = openedIn(row, startAt);
  const opened = period?.opened?.totals;
  const closed = period?.closed ?? [];
  return {
    row,
    now: opened ? subtract(row.totals, opened) : null,
    windows: [0, 1, 2].map((k) => (opened && closed[k] ? subtract(closed[k].totals, opened) : null)),
    pre: preRow ? addUp(preRow.bakes) : null,
  };
}

function finishedAt(rows: readonly InstanceRow[], startAt: number, window: number): Float64Array {
  return Float64Array.from(rows, (row) => openedIn(row, startAt)?.closed[window]?.at ?? Number.NaN);
}

/** Silence that has lasted long enough by now counts from when it did, not from when somebody looked. */
function lostAt(row: InstanceRow, now: number): number {
  if (row.watch === undefined) return Number.NaN;
  if (row.watch.lostAt !== undefined) return row.watch.lostAt;
  const silentSince = Math.max(row.lastReportAt ?? Number.NEGATIVE_INFINITY, row.watch.since);
  const at = silentSince + row.watch.lostAfterMs;
  return at < now ? at : Number.NaN;
}

function columnsOf(
  metric: MetricDefinition,
  readings: readonly Reading[],
  withWindows: boolean,
  now: number,
): MetricColumns {
  switch (metric.kind) {
    case 'ratio':
      return ratioColumns(metric, readings, withWindows);
    case 'gauge':
      return gaugeColumns(metric, readings, withWindows);
    case 'rare-event':
      return eventColumns(metric.event, readings, now);
  }
}

function ratioColumns(metric: RatioMetric, readings: readonly Reading[], withWindows: boolean): RatioColumns {
  const sums = (totalsOf: (reading: Reading) => Totals | null): RatioSums => {
    const y = new Float64Array(readings.length).fill(Number.NaN);
    const w = new Float64Array(readings.length).fill(Number.NaN);
    readings.forEach((reading, i) => {
      const counters = totalsOf(reading)?.counters;
      const exposure = counters?.[metric.denominator];
      if (counters === undefined || exposure === undefined) return;
      y[i] = counters[metric.numerator] ?? 0;
      w[i] = exposure;
    });
    return { y, w };
  };
  return {
    kind: 'ratio',
    now: sums((reading) => reading.now),
    windows: withWindows ? eachWindow((k) => sums((reading) => reading.windows[k] ?? null)) : null,
    pre: sums((reading) => reading.pre),
  };
}

function gaugeColumns(metric: GaugeMetric, readings: readonly Reading[], withWindows: boolean): GaugeColumns {
  const means = (totalsOf: (reading: Reading) => Totals | null): Float64Array =>
    Float64Array.from(readings, (reading) => meanLevel(metric, totalsOf(reading)?.gauges[metric.gauge]));
  return {
    kind: 'gauge',
    now: means((reading) => reading.now),
    windows: withWindows ? eachWindow((k) => means((reading) => reading.windows[k] ?? null)) : null,
    pre: means((reading) => reading.pre),
  };
}

function eventColumns(event: string, readings: readonly Reading[], now: number): RareEventColumns {
  const at = Float64Array.from(readings, ({ row }) =>
    event === HEARTBEAT_LOST ? lostAt(row, now) : (row.watch?.eventAt[event] ?? Number.NaN),
  );
  return { kind: 'rare-event', at };
}

function eachWindow<T>(make: (window: 0 | 1 | 2) => T): readonly [T, T, T] {
  return [make(0), make(1), make(2)];
}

function addUp(bakes: readonly Totals[]): Totals {
  const counters: Record<string, number> = {};
  const gauges: Record<string, GaugeTotal> = {};
  for (const bake of bakes) {
    for (const [name, value] of Object.entries(bake.counters)) counters[name] = (counters[name] ?? 0) + value;
    for (const [name, { sum, count, logSum, logCount }] of Object.entries(bake.gauges)) {
      const from = gauges[name] ?? { sum: 0, count: 0, logSum: 0, logCount: 0 };
      gauges[name] = {
        sum: from.sum + sum,
        count: from.count + count,
        logSum: from.logSum + logSum,
        logCount: from.logCount + logCount,
      };
    }
  }
  return { counters, gauges };
}
