import { sql } from 'kysely';
import type { Database } from '../database.js';
import { channelName, type Rise, type ServedRise } from './fold-usage.js';
import { mergeSketch } from './instance-sketch.js';

/** Rows of one channel. What is more is dropped and counted: whoever may report must not be able to fill the database. */
const MOST_VARIANTS = 50_000;
export const MOST_UNKNOWN = 1_000;

/** How many found no room, by `channelName`. */
export type Left = Map<string, number>;

export const writeServed = async (trx: Database, rises: readonly ServedRise[]): Promise<Left> => {
  const keyOf = (one: ServedRise): string =>
    [one.project, one.channel, one.flag, one.source, one.variant].join('\n');
  const { rows } = await sql<ServedRise>`select v.project, v.channel, v.flag_key as flag, v.source, v.variant,
      v.instances from headgate.usage_variant v join unnest(${column(rises, 'project')}::text[],
      ${column(rises, 'channel')}::text[], ${column(rises, 'flag')}::text[], ${column(rises, 'source')}::text[],
      ${column(rises, 'variant')}::text[]) as a(project, channel, flag_key, source, variant)
    using (project, channel, flag_key, source, variant)`.execute(trx);
  const { admitted, left } = await withRoom(trx, 'usage_variant', MOST_VARIANTS, {
    rises,
    known: new Map(rows.map((row) => [keyOf(row), row])),
    keyOf,
  });
  await sql`insert into headgate.usage_variant as v
      (project, channel, flag_key, source, variant, count, first_at, last_at, instances)
    select * from unnest(${column(admitted, 'project')}::text[], ${column(admitted, 'channel')}::text[],
      ${column(admitted, 'flag')}::text[], ${column(admitted, 'source')}::text[], ${column(admitted, 'variant')}::text[],
      ${column(admitted, 'count')}::bigint[], ${column(admitted, 'firstAt')}::bigint[],
      ${column(admitted, 'lastAt')}::bigint[], ${admitted.map(sketchBytes)}::bytea[])
    on conflict (project, channel, flag_key, source, variant) do update
      set count = least(${Number.MAX_SAFE_INTEGER}::bigint, v.count + excluded.count),
        last_at = greatest(v.last_at, excluded.last_at), instances = excluded.instances`.execute(trx);
  return left;
};

export const writeUnknown = async (trx: Database, rises: readonly Rise[]): Promise<Left> => {
  const keyOf = (one: Rise): string => [one.project, one.channel, one.flag].join('\n');
  const { rows } = await sql<Rise>`select u.project, u.channel, u.flag_key as flag, u.instances
    from headgate.usage_unknown u join unnest(${column(rises, 'project')}::text[], ${column(rises, 'channel')}::text[],
      ${column(rises, 'flag')}::text[]) as a(project, channel, flag_key)
    using (project, channel, flag_key)`.execute(trx);
  const { admitted, left } = await withRoom(trx, 'usage_unknown', MOST_UNKNOWN, {
    rises,
    known: new Map(rows.map((row) => [keyOf(row), row])),
    keyOf,
  });
  await sql`insert into headgate.usage_unknown as u (project, channel, flag_key, first_at, last_at, instances)
    select * from unnest(${column(admitted, 'project')}::text[], ${column(admitted, 'channel')}::text[],
      ${column(admitted, 'flag')}::text[], ${column(admitted, 'firstAt')}::bigint[],
      ${column(admitted, 'lastAt')}::bigint[], ${admitted.map(sketchBytes)}::bytea[])
    on conflict (project, channel, flag_key) do update
      set last_at = greatest(u.last_at, excluded.last_at), instances = excluded.instances`.execute(trx);
  return left;
};

interface Candidates<R extends Rise> {
  readonly rises: readonly R[];
  /** Their rows, of those that have one. */
  readonly known: ReadonlyMap<string, Pick<Rise, 'instances'>>;
  readonly keyOf: (rise: R) => string;
}

/** Rises of rows that are there, with the instances of both, and of new ones as long as their channel has room for rows. */
const withRoom = async <R extends Rise>(
  trx: Database,
  table: 'usage_variant' | 'usage_unknown',
  most: number,
  { rises, known, keyOf }: Candidates<R>,
): Promise<{ readonly admitted: readonly R[]; readonly left: Left }> => {
  const room = new Map<string, number>();
  const left: Left = new Map();
  const admitted: R[] = [];
  for (const rise of rises) {
    const row = known.get(keyOf(rise));
    if (row) mergeSketch(rise.instances, row.instances);
    else {
      const channel = channelName(rise);
      const free = room.get(channel) ?? most - (await rowsOf(trx, table, rise));
      room.set(channel, Math.max(0, free - 1));
      if (free <= 0) {
        left.set(channel, (left.get(channel) ?? 0) + 1);
        continue;
      }
    }
    admitted.push(rise);
  }
  return { admitted, left };
};

const rowsOf = async (
  trx: Database,
  table: 'usage_variant' | 'usage_unknown',
  { project, channel }: Rise,
): Promise<number> => {
  const { rows } = await sql<{ many: number }>`select count(*) as many from ${sql.table(`headgate.${table}`)}
    where project = ${project} and channel = ${channel}`.execute(trx);
  return rows[0]?.many ?? 0;
};

const column = <T, K extends keyof T>(rows: readonly T[], key: K): T[K][] => rows.map((row) => row[key]);
const sketchBytes = ({ instances }: Rise): Buffer => Buffer.from(instances);
