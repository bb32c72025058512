import { sql } from 'kysely';
import type { Database } from '../database.js';
import { CheckpointMoved } from '../projections/write-batch.js';
import { admitChannels } from './admit-channels.js';
import { type Boot, bootName, foldUsage, type Rise, type ServedRise } from './fold-usage.js';
import { mergeSketch } from './instance-sketch.js';
import type { UsageCheckpoint, UsageReport } from './usage-report.js';

export interface UsageBatch {
  readonly from: UsageCheckpoint;
  /** The same as `from` when only some reports of a message are written. */
  readonly to: UsageCheckpoint;
  readonly reports: readonly UsageReport[];
  /** Messages or reports that could not be read. */
  readonly skipped: number;
}

/** Rows of one channel. What is more is dropped and counted: whoever may report must not be able to fill the database. */
const MOST_VARIANTS = 50_000;
export const MOST_UNKNOWN = 1_000;

export const readUsageCheckpoint = async (db: Database): Promise<UsageCheckpoint> => {
  const row = await db.selectFrom('usage_checkpoint').selectAll().executeTakeFirstOrThrow();
  return {
    streamCreated: row.stream_created,
    streamSequence: row.stream_sequence,
    receivedAt: row.received_at,
  };
};

/**
 * Counts reports and moves the checkpoint, all or nothing: a message of TELEMETRY counts once, however often it is delivered and
 * wherever its reader was killed. Throws `CheckpointMoved` when another reader was quicker; nothing is written then.
 */
export const writeUsage = (db: Database, batch: UsageBatch): Promise<void> =>
  db.transaction().execute(async (trx) => {
    // First: its row is the lock of all that follows.
    await moveCheckpoint(trx, batch);
    if (batch.reports.length === 0) return;
    const reports = await admitChannels(trx, batch.reports);
    const rise = foldUsage(await readBoots(trx, reports), reports);
    await writeBoots(trx, [...rise.boots.values()]);
    const left = await writeServed(trx, [...rise.served.values()]);
    const unheard = await writeUnknown(trx, [...rise.unknown.values()]);
    for (const [channel, many] of rise.left) left.set(channel, (left.get(channel) ?? 0) + many);
    await noteLeft(trx, 'dropped_variants', left);
    await noteLeft(trx, 'dropped_unknown', unheard);
  });

const moveCheckpoint = async (trx: Database, { from, to, skipped }: UsageBatch): Promise<void> => {
  const { numUpdatedRows } = await trx
    .updateTable('usage_checkpoint')
    .set((set) => ({
      stream_created: to.streamCreated,
      stream_sequence: to.streamSequence,
      received_at: to.receivedAt,
      skipped: set('skipped', '+', skipped),
    }))
    .where('stream_created', '=', from.streamCreated)
    .where('stream_sequence', '=', from.streamSequence)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n)
    throw new CheckpointMoved(
      `TELEMETRY is no longer counted up to sequence ${from.streamSequence}; reading on from where it is`,
    );
};

const readBoots = async (
  trx: Database,
  reports: readonly UsageReport[],
): Promise<ReadonlyMap<string, Boot>> => {
  const asked = [...new Map(reports.map((report) => [bootName(report), report])).values()];
  const { rows } = await sql<{
    project: string;
    channel: string;
    instance: string;
    boot_id: string;
    seq: number;
    last_at: number;
    counts: Record<string, number>;
  }>`select b.* from headgate.usage_boot b join unnest(${asked.map((one) => one.project)}::text[],
      ${asked.map((one) => one.channel)}::text[], ${asked.map((one) => one.instance)}::text[],
      ${asked.map((one) => one.bootId)}::text[]) as a(project, channel, instance, boot_id)
    using (project, channel, instance, boot_id)`.execute(trx);
  return new Map(
    rows.map(({ project, channel, instance, boot_id: bootId, seq, last_at: lastAt, counts }) => [
      bootName({ project, channel, instance, bootId }),
      { seq, lastAt, totals: new Map(Object.entries(counts)) },
    ]),
  );
};

const writeBoots = async (
  trx: Database,
  boots: readonly { readonly report: UsageReport; readonly boot: Boot }[],
): Promise<void> => {
  await sql`insert into headgate.usage_boot (project, channel, instance, boot_id, seq, last_at, counts)
    select * from unnest(${boots.map(({ report }) => report.project)}::text[],
      ${boots.map(({ report }) => report.channel)}::text[], ${boots.map(({ report }) => report.instance)}::text[],
      ${boots.map(({ report }) => report.bootId)}::text[], ${boots.map(({ boot }) => boot.seq)}::bigint[],
      ${boots.map(({ boot }) => boot.lastAt)}::bigint[],
      ${boots.map(({ boot }) => JSON.stringify(Object.fromEntries(boot.totals)))}::jsonb[])
    on conflict (project, channel, instance, boot_id) do update
      set seq = excluded.seq, last_at = excluded.last_at, counts = excluded.counts`.execute(trx);
};

/** How many found no room, by channel as `project channel`. */
type Left = Map<string, number>;

const writeServed = async (trx: Database, rises: readonly ServedRise[]): Promise<Left> => {
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

const writeUnknown = async (trx: Database, rises: readonly Rise[]): Promise<Left> => {
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
      const channel = `${rise.project} ${rise.channel}`;
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

const noteLeft = async (
  trx: Database,
  column: 'dropped_variants' | 'dropped_unknown',
  left: ReadonlyMap<string, number>,
): Promise<void> => {
  for (const [name, many] of left) {
    const [project = '', channel = ''] = name.split(/[ \n]/);
    await trx
      .updateTable('usage_channel')
      .set((set) => ({ [column]: set(column, '+', many) }))
      .where('project', '=', project)
      .where('channel', '=', channel)
      .execute();
  }
};

const column = <T, K extends keyof T>(rows: readonly T[], key: K): T[K][] => rows.map((row) => row[key]);
const sketchBytes = ({ instances }: Rise): Buffer => Buffer.from(instances);
