import type {
  Boot,
  BootGauge,
  GaugeTotal,
  InstanceRow,
  JudgedReport,
  Period,
  Totals,
  Watch,
} from './instance-row.js';

/** More processes than share one instance at a time, with room for some that have gone. */
const bootsKept = 16;

/**
 * Adds one report, received at `at`, to its instance's row. Counters are differenced within their boot; a value below
 * the last one is a reset and counts from zero. A report that was seen, or that a later one of its boot has overtaken,
 * changes nothing: what it says is contained in the later one.
 */
export function foldReport(row: InstanceRow, report: JudgedReport, at: number): InstanceRow {
  const last = row.boots[report.bootId];
  if (last !== undefined && report.seq <= last.seq) return row;
  const boot = readBoot(report, at, last);
  const totals = addBoot(row.totals, boot, last);
  return {
    instance: row.instance,
    lastReportAt: Math.max(at, row.lastReportAt ?? at),
    totals,
    boots: keepBoot(row.boots, report.bootId, boot),
    ...(row.period && { period: markPeriod(row.period, at, totals) }),
    ...(row.watch && { watch: watchReport(row.watch, row.lastReportAt, at, newEvents(report, boot, last)) }),
  };
}

/** What this boot has said so far: a name that a report leaves out, or says unreadably, stays as it was last read. */
function readBoot(report: JudgedReport, at: number, last: Boot | undefined): Boot {
  const { counters = {}, gauges = {}, events = {} } = report.metrics ?? {};
  return {
    seq: report.seq,
    at,
    counters: { ...last?.counters, ...readable(counters, (value) => isReadable(value) && value >= 0) },
    gauges: {
      ...last?.gauges,
      ...readable(gauges, ({ sum, count }) => isReadable(sum) && isReadable(count)),
    },
    events: [...new Set([...(last?.events ?? []), ...Object.keys(events)])],
  };
}

/** Events are told until the boot ends and are new once; a crash signature is told once and is always new. */
function newEvents(report: JudgedReport, boot: Boot, last: Boot | undefined): readonly string[] {
  const fresh = boot.events.filter((name) => !last?.events.includes(name));
  return report.crash ? [...fresh, 'crash'] : fresh;
}

function readable<T>(values: Readonly<Record<string, T>>, isGood: (value: T) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => isGood(value)));
}

/**
 * No number, or one that no honest counter reaches, is left out: sums of squares and cubes over a fleet must stay finite
 * whatever one instance says.
 */
function isReadable(value: number | undefined): value is number {
  return value !== undefined && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function addBoot(totals: Totals, boot: Boot, last: Boot | undefined): Totals {
  const counters = { ...totals.counters };
  for (const [name, value] of Object.entries(boot.counters))
    counters[name] = (counters[name] ?? 0) + rise(value, last?.counters[name]);
  const gauges = { ...totals.gauges };
  for (const [name, reading] of Object.entries(boot.gauges))
    gauges[name] = addGauge(gauges[name], reading, last?.gauges[name]);
  return { counters, gauges };
}

function rise(value: number, last: number | undefined): number {
  return last !== undefined && value >= last ? value - last : value;
}

/** A sum may fall with negative readings, so the count of readings tells a reset. */
function addGauge(total: GaugeTotal | undefined, now: BootGauge, last: BootGauge | undefined): GaugeTotal {
  const from = last !== undefined && now.count >= last.count ? last : { sum: 0, count: 0, logSum: 0 };
  const before = total ?? { sum: 0, count: 0, logSum: 0, logCount: 0 };
  const count = now.count - from.count;
  const hasLogs = isReadable(now.logSum) && isReadable(from.logSum);
  return {
    sum: before.sum + now.sum - from.sum,
    count: before.count + count,
    logSum: before.logSum + (hasLogs ? now.logSum - from.logSum : 0),
    logCount: before.logCount + (hasLogs ? count : 0),
  };
}

function keepBoot(boots: InstanceRow['boots'], bootId: string, boot: Boot): InstanceRow['boots'] {
  const kept = { ...boots, [bootId]: boot };
  const ids = Object.keys(kept);
  if (ids.length <= bootsKept) return kept;
  const oldest = ids.reduce((a, b) => (kept[b]!.at < kept[a]!.at ? b : a));
  delete kept[oldest];
  return kept;
}

function markPeriod(period: Period, at: number, totals: Totals): Period {
  if (at < period.startAt) return period;
  if (period.opened === undefined) return { ...period, opened: { at, totals } };
  const from = windowStart(period, period.opened.at);
  const closed = [...period.closed];
  while (closed.length < period.lengthsMs.length) {
    if (at < from + period.lengthsMs[closed.length]!) break;
    closed.push({ at, totals });
  }
  return closed.length === period.closed.length ? period : { ...period, closed };
}

/** Windows end together for all that opened in time, so that they can be bet together; a late one gets its full length. */
function windowStart(period: Period, openedAt: number): number {
  const isInTime = openedAt <= period.startAt + (period.lengthsMs[0] ?? 0) / 2;
  return isInTime ? period.startAt : openedAt;
}

function watchReport(
  watch: Watch,
  lastReportAt: number | null,
  at: number,
  events: readonly string[],
): Watch {
  if (at < watch.since) return watch;
  const eventAt = { ...watch.eventAt };
  for (const name of events) eventAt[name] ??= at;
  const lostAt = watch.lostAt ?? silenceBefore(at, lastReportAt, watch);
  return { ...watch, eventAt, ...(lostAt !== undefined && { lostAt }) };
}

function silenceBefore(at: number, lastReportAt: number | null, watch: Watch): number | undefined {
  if (lastReportAt === null) return undefined;
  const lostAt = Math.max(lastReportAt, watch.since) + watch.lostAfterMs;
  return at > lostAt ? lostAt : undefined;
}
