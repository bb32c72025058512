import type { LogPosition } from '@headgate/contracts';
import { sql } from 'kysely';
import { type Database, generationSchema } from '../database.js';
import { VIEW_TABLES } from '../migrations/migrations.js';
import type { ViewRow } from './view-rows.js';

export interface Checkpoint {
  readonly streamCreated: string;
  readonly streamSequence: number;
  readonly heads: Readonly<Record<string, LogPosition>>;
}

export interface ArchivedEvent extends LogPosition {
  readonly project: string;
  readonly streamSequence: number;
  readonly id: string;
  readonly type: string;
  readonly kind: string;
  readonly aggregateId: string;
  readonly at: number;
  readonly prevHash: string;
  /** The event's exact bytes as text. */
  readonly text: string;
}

export interface Batch {
  readonly events: readonly ArchivedEvent[];
  readonly rows: readonly ViewRow[];
  readonly from: Checkpoint;
  readonly to: Checkpoint;
}

/** Another projector has written since, or the tables were switched: start again from what the database says. */
export class CheckpointMoved extends Error {
  override readonly name = 'CheckpointMoved';
}

/** The archive holds another event at this place: two histories. Nothing is written. */
export class ArchiveForked extends Error {
  override readonly name = 'ArchiveForked';
}

export const readCheckpoint = async (db: Database): Promise<Checkpoint> => {
  const row = await db.selectFrom('checkpoint').selectAll().executeTakeFirstOrThrow();
  return {
    streamCreated: row.stream_created,
    streamSequence: row.stream_sequence,
    heads: row.heads as Checkpoint['heads'],
  };
};

/**
 * Events into the archive, rows into the active generation and the checkpoint, all or nothing. Idempotent: what the archive
 * has already is compared, not written again.
 */
export const writeBatch = (db: Database, batch: Batch): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const { active } = await trx
      .selectFrom('generation')
      .select('active')
      .forShare()
      .executeTakeFirstOrThrow();
    const schema = generationSchema(active);
    await moveCheckpoint(trx, schema, batch.from, batch.to);
    await archive(trx, batch.events);
    await writeRows(trx, schema, batch.rows);
  });

const moveCheckpoint = async (
  trx: Database,
  schema: string,
  from: Checkpoint,
  to: Checkpoint,
): Promise<void> => {
  const moved = await sql`update ${sql.raw(schema)}.checkpoint
    set stream_created = ${to.streamCreated}, stream_sequence = ${to.streamSequence}, heads = ${JSON.stringify(to.heads)}::jsonb
    where stream_created = ${from.streamCreated} and stream_sequence = ${from.streamSequence}`.execute(trx);
  if (moved.numAffectedRows !== 1n)
    throw new CheckpointMoved(
      `the projection is no longer at stream sequence ${from.streamSequence}; reading it again`,
    );
};

export const archive = async (trx: Database, events: readonly ArchivedEvent[]): Promise<void> => {
  if (events.length === 0) return;
  const column = <K extends keyof ArchivedEvent>(key: K): ArchivedEvent[K][] =>
    events.map((event) => event[key]);
  await sql`insert into headgate.archive
      (project, epoch, position, stream_sequence, event_id, type, kind, aggregate_id, at, prev_hash, hash, event)
    select * from unnest(${column('project')}::text[], ${column('epoch')}::bigint[], ${column('position')}::bigint[],
      ${column('streamSequence')}::bigint[], ${column('id')}::uuid[], ${column('type')}::text[], ${column('kind')}::text[],
      ${column('aggregateId')}::text[], ${column('at')}::bigint[], ${column('prevHash')}::text[], ${column('hash')}::text[],
      ${column('text')}::text[])
    on conflict (project, position) do nothing`.execute(trx);
  const other = await sql<{
    project: string;
    position: number;
  }>`select a.project, a.position from headgate.archive a
    join unnest(${column('project')}::text[], ${column('position')}::bigint[], ${column('hash')}::text[]) as e(project, position, hash)
      on a.project = e.project and a.position = e.position
    where a.hash <> e.hash order by a.position limit 1`.execute(trx);
  const forked = other.rows[0];
  if (forked)
    throw new ArchiveForked(
      `the archive holds another event at position ${forked.position} of project "${forked.project}" than the log; run \`headgate log verify\``,
    );
};

/** A few statements per table. Rows of one batch have distinct keys. */
export const writeRows = async (trx: Database, schema: string, rows: readonly ViewRow[]): Promise<void> => {
  for (const table of VIEW_TABLES)
    for (const own of statementsOf(rows.filter((row) => row.table === table)))
      await sql`insert into ${sql.raw(`${schema}.${table}`)} (project, id, name, created_at, view)
      select * from unnest(${own.map(({ row }) => row.project)}::text[], ${own.map(({ row }) => row.id)}::text[],
        ${own.map(({ row }) => nameColumn(row.name))}::text[], ${own.map(({ row }) => row.created_at)}::bigint[],
        ${own.map(({ view }) => view)}::json[])
      on conflict (project, id) do update
        set name = excluded.name, created_at = excluded.created_at, view = excluded.view`.execute(trx);
};

/** Text of Postgres has no NUL. Only a token's name can hold one, and no token is looked up by its name; its view is exact. */
const nameColumn = (name: string): string => name.replaceAll('\0', '\uFFFD');

const ROWS_PER_STATEMENT = 2_000;
/** Of UTF-16 units: far below what one message to Postgres, and one string of ours, may have. */
const TEXT_PER_STATEMENT = 16 * 1024 * 1024;

function* statementsOf(rows: readonly ViewRow[]): Iterable<readonly { row: ViewRow; view: string }[]> {
  let [own, length]: [{ row: ViewRow; view: string }[], number] = [[], 0];
  for (const row of rows) {
    const view = JSON.stringify(row.view);
    if (own.length > 0 && (own.length >= ROWS_PER_STATEMENT || length + view.length > TEXT_PER_STATEMENT)) {
      yield own;
      [own, length] = [[], 0];
    }
    own.push({ row, view });
    length += view.length;
  }
  if (own.length > 0) yield own;
}
