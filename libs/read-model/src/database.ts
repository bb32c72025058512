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

/** How far TELEMETRY is counted, and how many of its messages or reports could not be. */
export interface UsageCheckpointTable {
  readonly id: number;
  readonly stream_created: string;
  readonly stream_sequence: number;
  /** When the newest counted report was received. */
  readonly received_at: number;
  readonly skipped: number;
}

export interface UsageChannelTable {
  readonly project: string;
  readonly channel: string;
  readonly first_at: number;
  readonly last_at: number;
  /** Rows that found no room. */
  readonly dropped_variants: number;
  readonly dropped_unknown: number;
}

/** What a process has said last: the next report is differenced against it. */
export interface UsageBootTable {
  readonly project: string;
  readonly channel: string;
  readonly instance: string;
  readonly boot_id: string;
  readonly seq: number;
  readonly last_at: number;
  /** `{flagKey: {variant: total}}`; the variant '' is the default in the code. */
  readonly counts: unknown;
}

export interface UsageVariantTable {
  readonly project: string;
  readonly channel: string;
  readonly flag_key: string;
  /** '' for the default in the code. */
  readonly variant: string;
  readonly source: string;
  readonly count: number;
  readonly first_at: number;
  readonly last_at: number;
  /** A sketch of which instances, not their names. */
  readonly instances: Uint8Array;
}

export interface UsageUnknownTable {
  readonly project: string;
  readonly channel: string;
  readonly flag_key: string;
  readonly first_at: number;
  readonly last_at: number;
  readonly instances: Uint8Array;
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
  readonly usage_checkpoint: UsageCheckpointTable;
  readonly usage_channel: UsageChannelTable;
  readonly usage_boot: UsageBootTable;
  readonly usage_variant: UsageVariantTable;
  readonly usage_unknown: UsageUnknownTable;
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
