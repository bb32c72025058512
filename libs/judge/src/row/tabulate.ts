import type { GaugeMetric, MetricDefinition, RatioMetric } from '../metric.js';
import { HEARTBEAT_LOST } from '../metric.js';
import type { RolloutPlan } from '../plan/rollout-plan.js';
import { usesWindows } from '../plan/uses-windows.js';
import { gaugeSince } from './begin.js';
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

/** Totals at the two ends of a stretch of time; read by difference, metric by metric, without a copy of the rest. */
interface Span {
  readonly from: Totals;
  readonly to: Totals;
}

/** What one instance did in the step and before. */
interface Reading {
  readonly row: InstanceRow;
  readonly now: Span | null;
  readonly windows: readonly (Span | null)[];
  readonly pre: readonly Totals[];
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
  const from = period?.opened?.totals;
  const closed = period?.closed ?? [];
  return {
    row,
    now: from ? { from, to: row.totals } : null,
    windows: [0, 1, 2].map((k) => (from && closed[k] ? { from, to: closed[k].totals } : null)),
    pre: preRow?.bakes ?? [],
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

/** Events and exposure of one instance; NaN where nothing is known of the exposure. */
type RatioReader = (reading: Reading, name: string) => number;

function ratioColumns(metric: RatioMetric, readings: readonly Reading[], withWindows: boolean): RatioColumns {
  const sums = (read: RatioReader): RatioSums => {
    const y = new Float64Array(readings.length);
    const w = new Float64Array(readings.length);
    readings.forEach((reading, i) => {
      const exposure = read(reading, metric.denominator);
      const events = read(reading, metric.numerator);
      w[i] = exposure;
      // A counter that never moved is not sent: with exposure, no events are none.
      y[i] = Number.isNaN(events) && exposure >= 0 ? 0 : events;
    });
    return { y, w };
  };
  return {
    kind: 'ratio',
    now: sums(({ now }, name) => counterIn(now, name)),
    windows: withWindows
      ? eachWindow((k) => sums(({ windows }, name) => counterIn(windows[k]!, name)))
      : null,
    pre: sums(({ pre }, name) => counterInAll(pre, name)),
  };
}

function counterIn(span: Span | null, name: string): number {
  const to = span?.to.counters[name];
  return to === undefined ? Number.NaN : to - (span!.from.counters[name] ?? 0);
}

function counterInAll(bakes: readonly Totals[], name: string): number {
  let sum = Number.NaN;
  for (const { counters } of bakes) {
    const value = counters[name];
    if (value !== undefined) sum = Number.isNaN(sum) ? value : sum + value;
  }
  return sum;
}

function gaugeColumns(metric: GaugeMetric, readings: readonly Reading[], withWindows: boolean): GaugeColumns {
  const means = (read: (reading: Reading) => GaugeTotal | undefined): Float64Array =>
    Float64Array.from(readings, (reading) => meanLevel(metric, read(reading)));
  return {
    kind: 'gauge',
    now: means(({ now }) => gaugeIn(now, metric.gauge)),
    windows: withWindows
      ? eachWindow((k) => means(({ windows }) => gaugeIn(windows[k]!, metric.gauge)))
      : null,
    pre: means(({ pre }) => gaugeInAll(pre, metric.gauge)),
  };
}

function gaugeIn(span: Span | null, name: string): GaugeTotal | undefined {
  const to = span?.to.gauges[name];
  return to && gaugeSince(to, span!.from.gauges[name]);
}

function gaugeInAll(bakes: readonly Totals[], name: string): GaugeTotal {
  let all: GaugeTotal = { sum: 0, count: 0, logSum: 0, logCount: 0 };
  for (const { gauges } of bakes) {
    const one = gauges[name];
    if (one === undefined) continue;
    all = {
      sum: all.sum + one.sum,
      count: all.count + one.count,
      logSum: all.logSum + one.logSum,
      logCount: all.logCount + one.logCount,
    };
  }
  return all;
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
