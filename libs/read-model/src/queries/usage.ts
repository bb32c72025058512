import { sql } from 'kysely';
import type { Database } from '../database.js';
import { estimateInstances } from '../usage/instance-sketch.js';
import type { UsageSource } from '../usage/usage-report.js';

export interface VariantUsage {
  /** Null: the default in the code. */
  readonly variant: string | null;
  readonly source: UsageSource;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** About how many instances (or gateways) have said so. */
  readonly instances: number;
}

export interface LastServed {
  /** Null: the default in the code. */
  readonly variant: string | null;
  readonly lastServedAt: number;
  readonly count: number;
}

export interface UnknownFlagUsage {
  readonly key: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly instances: number;
}

export interface ChannelUsage {
  /** When reports of this channel were first and last received; null when none ever was. */
  readonly firstReportAt: number | null;
  readonly lastReportAt: number | null;
  /** What found no room in the tables. */
  readonly droppedVariants: number;
  readonly droppedUnknown: number;
}

/** What was served, by flag key, of one flag or of all of the channel. */
export const servedVariants = async (
  db: Database,
  project: string,
  channel: string,
  key?: string,
): Promise<ReadonlyMap<string, readonly VariantUsage[]>> => {
  const all = db
    .selectFrom('usage_variant')
    .selectAll()
    .where('project', '=', project)
    .where('channel', '=', channel)
    .orderBy('flag_key')
    .orderBy('variant')
    .orderBy('source');
  const rows = await (key === undefined ? all : all.where('flag_key', '=', key)).execute();
  const byKey = new Map<string, VariantUsage[]>();
  for (const row of rows) {
    const variants = byKey.get(row.flag_key) ?? [];
    byKey.set(row.flag_key, variants);
    variants.push({
      variant: row.variant === '' ? null : row.variant,
      source: row.source as UsageSource,
      count: row.count,
      firstAt: row.first_at,
      lastAt: row.last_at,
      instances: estimateInstances(row.instances),
    });
  }
  return byKey;
};

/** When and how often each variant of each flag was served, whoever served it: what a listing needs. */
export const lastServed = async (
  db: Database,
  project: string,
  channel: string,
): Promise<ReadonlyMap<string, readonly LastServed[]>> => {
  const rows = await db
    .selectFrom('usage_variant')
    .select((row) => [
      'flag_key',
      'variant',
      row.fn.max('last_at').as('last_at'),
      // A sum of bigints is numeric, which pg hands over as text.
      sql<number>`least(sum(count), ${Number.MAX_SAFE_INTEGER})::bigint`.as('count'),
    ])
    .where('project', '=', project)
    .where('channel', '=', channel)
    .groupBy(['flag_key', 'variant'])
    .orderBy('flag_key')
    .orderBy('variant')
    .execute();
  const byKey = new Map<string, LastServed[]>();
  for (const { flag_key: key, variant, last_at: lastServedAt, count } of rows) {
    const served = byKey.get(key) ?? [];
    byKey.set(key, served);
    served.push({ variant: variant === '' ? null : variant, lastServedAt, count });
  }
  return byKey;
};

/** Newest first. */
export const unknownFlags = async (
  db: Database,
  project: string,
  channel: string,
): Promise<readonly UnknownFlagUsage[]> => {
  const rows = await db
    .selectFrom('usage_unknown')
    .selectAll()
    .where('project', '=', project)
    .where('channel', '=', channel)
    .orderBy('last_at', 'desc')
    .orderBy('flag_key')
    .execute();
  return rows.map((row) => ({
    key: row.flag_key,
    firstAt: row.first_at,
    lastAt: row.last_at,
    instances: estimateInstances(row.instances),
  }));
};

export const channelUsage = async (db: Database, project: string, channel: string): Promise<ChannelUsage> => {
  const row = await db
    .selectFrom('usage_channel')
    .selectAll()
    .where('project', '=', project)
    .where('channel', '=', channel)
    .executeTakeFirst();
  return {
    firstReportAt: row?.first_at ?? null,
    lastReportAt: row?.last_at ?? null,
    droppedVariants: row?.dropped_variants ?? 0,
    droppedUnknown: row?.dropped_unknown ?? 0,
  };
};
