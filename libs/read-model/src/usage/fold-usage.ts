import { addInstance, emptySketch, type InstanceSketch } from './instance-sketch.js';
import type { ServedTotal, UsageReport, UsageSource } from './usage-report.js';

/** What a process has said last. */
export interface Boot {
  readonly seq: number;
  readonly lastAt: number;
  /** By `servedName`. */
  readonly totals: ReadonlyMap<string, number>;
}

/** What reports add to a row. */
export interface Rise {
  readonly project: string;
  readonly channel: string;
  readonly flag: string;
  readonly firstAt: number;
  lastAt: number;
  readonly instances: InstanceSketch;
}
export interface ServedRise extends Rise {
  readonly variant: string;
  readonly source: UsageSource;
  count: number;
}

export interface UsageRise {
  readonly boots: Map<string, { readonly report: UsageReport; readonly boot: Boot }>;
  readonly served: Map<string, ServedRise>;
  readonly unknown: Map<string, Rise>;
  /** By channel: totals of one process that found no room. */
  readonly left: Map<string, number>;
}

/** More than a gateway serves; one hostile process must not fill a database. */
const MOST_TOTALS = 20_000;
/** Keys and channels are slugs and flag keys, none of which can hold the separator; a variant, which can, stands last. */
const SEPARATOR = '\n';

const name = (...parts: readonly string[]): string => parts.join(SEPARATOR);
export const channelName = (one: { readonly project: string; readonly channel: string }): string =>
  name(one.project, one.channel);
export const bootName = (one: Pick<UsageReport, 'project' | 'channel' | 'instance' | 'bootId'>): string =>
  name(one.project, one.channel, one.instance, one.bootId);
const servedName = ({ source, flag, variant }: ServedTotal): string => name(source, flag, variant);

/**
 * What `reports` add to what was counted, given what their processes had said before. A report that was seen, or that a later one of
 * its process has overtaken, adds nothing: what it says is contained in the later one. A total below the last one is a reset and
 * counts from zero. The rule of the judge's rows (libs/judge, fold-report.ts).
 */
export const foldUsage = (known: ReadonlyMap<string, Boot>, reports: readonly UsageReport[]): UsageRise => {
  const rise: UsageRise = { boots: new Map(), served: new Map(), unknown: new Map(), left: new Map() };
  for (const report of reports) {
    const id = bootName(report);
    const last = rise.boots.get(id)?.boot ?? known.get(id);
    if (last !== undefined && report.seq <= last.seq) continue;
    // One that never served anything has nothing to be differenced against.
    if (report.served.length > 0 || last) rise.boots.set(id, { report, boot: addServed(rise, report, last) });
    for (const flag of report.unknownFlags) addUnknown(rise, report, flag);
  }
  return rise;
};

const addServed = (rise: UsageRise, report: UsageReport, last: Boot | undefined): Boot => {
  const totals = new Map(last?.totals);
  for (const total of report.served) {
    const id = servedName(total);
    const before = totals.get(id);
    if (before === undefined && totals.size >= MOST_TOTALS) {
      const channel = channelName(report);
      rise.left.set(channel, (rise.left.get(channel) ?? 0) + 1);
      continue;
    }
    totals.set(id, total.count);
    const count = before !== undefined && total.count >= before ? total.count - before : total.count;
    if (count > 0 || total.count === 0) addRise(rise, report, total, count);
  }
  return { seq: report.seq, lastAt: Math.max(report.at, last?.lastAt ?? 0), totals };
};

const addRise = (rise: UsageRise, report: UsageReport, total: ServedTotal, count: number): void => {
  const { source, flag, variant } = total;
  const id = name(report.project, report.channel, servedName(total));
  let found = rise.served.get(id);
  if (!found) {
    found = { ...freshRise(report, flag), source, variant, count: 0 };
    rise.served.set(id, found);
  }
  found.count = Math.min(Number.MAX_SAFE_INTEGER, found.count + count);
  note(found, report);
};

const addUnknown = (rise: UsageRise, report: UsageReport, flag: string): void => {
  const id = name(report.project, report.channel, flag);
  let found = rise.unknown.get(id);
  if (!found) {
    found = freshRise(report, flag);
    rise.unknown.set(id, found);
  }
  note(found, report);
};

const freshRise = ({ project, channel, at }: UsageReport, flag: string): Rise => ({
  project,
  channel,
  flag,
  firstAt: at,
  lastAt: at,
  instances: emptySketch(),
});

const note = (rise: Rise, report: UsageReport): void => {
  rise.lastAt = Math.max(rise.lastAt, report.at);
  addInstance(rise.instances, report.instance);
};
