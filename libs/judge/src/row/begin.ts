import { HEARTBEAT_LOST } from '../metric.js';
import type { JudgePolicy } from '../policy.js';
import type { GaugeTotal, InstanceRow, Totals, Watch } from './instance-row.js';
import type { PreRow } from './pre-row.js';

/** Where the pre-period is cut: covariate, then outcome. */
export function prePeriodLengths(policy: JudgePolicy): readonly number[] {
  return [policy.prePeriodMs / 2, policy.prePeriodMs];
}

/** Where a step is cut for engine B: a quarter, half, the whole bake. */
export function stepLengths(policy: JudgePolicy): readonly number[] {
  return [policy.bakeMs / 4, policy.bakeMs / 2, policy.bakeMs];
}

/** Starts a new period; the one before is forgotten. Reports at or after `startAt` are read into it. */
export function beginPeriod(
  row: InstanceRow,
  { startAt, lengthsMs }: { readonly startAt: number; readonly lengthsMs: readonly number[] },
): InstanceRow {
  return { ...row, period: { startAt, lengthsMs, closed: [] } };
}

/** Starts to watch for first events and for silence: when the pre-period begins, and anew when the first step begins. */
export function beginWatch(
  row: InstanceRow,
  { since, lostAfterMs }: { readonly since: number; readonly lostAfterMs: number },
): InstanceRow {
  return { ...row, watch: { since, lostAfterMs, eventAt: {} } };
}

/**
 * What the instance did in the pre-period, or null for one that fell silent before half of its second half (it is no part
 * of the plan, but is judged if it reports later). One whose last report is late is read up to the one before.
 */
export function preRowOf(row: InstanceRow, bucketPpm?: number): PreRow | null {
  const opened = row.period?.opened;
  const first = row.period?.closed[0];
  if (opened === undefined || first === undefined) return null;
  const end = row.period?.closed[1]?.totals ?? (isHalfSeen(row) ? row.totals : null);
  if (end === null) return null;
  return {
    instance: row.instance,
    ...(bucketPpm !== undefined && { bucketPpm }),
    bakes: [subtract(first.totals, opened.totals), subtract(end, first.totals)],
    ...(row.watch && { events: eventsOf(row.watch) }),
  };
}

function isHalfSeen({ period, lastReportAt }: InstanceRow): boolean {
  const [covariate = 0, whole = 0] = period?.lengthsMs ?? [];
  return lastReportAt !== null && lastReportAt >= period!.startAt + (covariate + whole) / 2;
}

function eventsOf(watch: Watch): readonly string[] {
  const names = Object.keys(watch.eventAt).sort();
  return watch.lostAt === undefined ? names : [...names, HEARTBEAT_LOST];
}

/** What was added between two marks; names that did not occur are left out. */
function subtract(later: Totals, earlier: Totals): Totals {
  const counters: Record<string, number> = {};
  for (const [name, value] of Object.entries(later.counters))
    counters[name] = value - (earlier.counters[name] ?? 0);
  const gauges: Record<string, GaugeTotal> = {};
  for (const [name, gauge] of Object.entries(later.gauges))
    gauges[name] = gaugeSince(gauge, earlier.gauges[name]);
  return { counters, gauges };
}

export function gaugeSince(later: GaugeTotal, earlier: GaugeTotal | undefined): GaugeTotal {
  if (earlier === undefined) return later;
  return {
    sum: later.sum - earlier.sum,
    count: later.count - earlier.count,
    logSum: later.logSum - earlier.logSum,
    logCount: later.logCount - earlier.logCount,
  };
}
