import { type Generated, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';

/** One row per event, for ever: the log's verified copy. Bytes are text, so that hashes can be taken again. */
export interface ArchiveTable {
  readonly project: string;
  readonly epoch: number;
  readonly position: number;
  readonly stream_sequence: number;
  readonly event_id: string;
  readonly type: string;
  readonly kind: string;
  readonly aggregate_id: string;
  readonly at: number;
  readonly prev_hash: string;
  readonly hash: string;
  readonly event: string;
  readonly archived_at: Generated<Date>;
}

/** A view of the API with the columns that queries look for. */
export interface ViewTable {
  readonly project: string;
  readonly id: string;
  /** What a person calls it: slug, `<channel>/<key>`, name. */
  readonly name: string;
  /** Orders a listing; milliseconds since the epoch. */
  readonly created_at: number;
  readonly view: unknown;
}

export interface CheckpointTable {
  readonly id: number;
  readonly stream_created: string;
  readonly stream_sequence: number;
  /** Newest event taken of each project: `{project: {epoch, position, hash}}`. */
  readonly heads: unknown;
}

/** Tables of schema `headgate`; the six views and `checkpoint` show the active generation. */
export interface Tables {
  readonly archive: ArchiveTable;
  readonly generation: { readonly id: number; readonly active: number };
  readonly migration: { readonly id: number; readonly name: string; readonly checksum: string };
  readonly project: ViewTable;
  readonly channel: ViewTable;
  readonly flag: ViewTable;
  readonly segment: ViewTable;
  readonly rollout: ViewTable;
  readonly token: ViewTable;
  readonly checkpoint: CheckpointTable;
}

export type Database = Kysely<Tables>;

const SCHEMA = 'headgate';
export const generationSchema = (generation: number): string => `${SCHEMA}_g${generation}`;

const INT8 = 20;
const CONNECT_TIMEOUT_MS = 5_000;

/** Sequence numbers and times fit in a double; pg would hand bigint over as text. */
const parsers = (oid: number): ((value: string) => unknown) =>
  oid === INT8 ? Number : pg.types.getTypeParser(oid, 'text');

/** Connects lazily; every query fails with pg's own error while Postgres is away. `onFault` hears of idle connections lost. */
export const openDatabase = (
  url: string,
  options: { readonly connections?: number; readonly onFault?: (cause: Error) => void } = {},
): Database => {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections ?? 8,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'headgate',
    types: { getTypeParser: parsers as typeof pg.types.getTypeParser },
  });
  const onFault = (cause: Error): void => options.onFault?.(cause);
  pool.on('error', onFault);
  // A connection in use fails its query too; without a listener its second error would end the process.
  pool.on('connect', (client) => client.on('error', onFault));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }).withSchema(SCHEMA);
};
