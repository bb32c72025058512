import { sql } from 'kysely';
import { type Database, generationSchema } from '../database.js';
import { type ArchivedEvent, archive, type Batch, writeRows } from './write-batch.js';

export interface Refused {
  /** The event that Postgres refuses itself, or whose row it refuses. */
  readonly event: ArchivedEvent;
  /** Where: `archive`, or the table of the row. */
  readonly table: string;
}

/** Content that Postgres refuses, SQLSTATE classes 21 to 23 and 54: the same rows again will never do. */
export const isContentRefused = (cause: unknown): boolean => {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^(?:2[1-3]|54)[0-9A-Z]{3}$/.test(code);
};

/** Looks for what a batch was refused for, in a transaction that is taken back; `null` when Postgres takes it all by now. */
export const findRefused = async (db: Database, batch: Batch): Promise<Refused | null> => {
  let found: Refused | null = null;
  const takeBack = new Error('taken back');
  await db
    .transaction()
    .execute(async (trx) => {
      const { active } = await trx.selectFrom('generation').select('active').executeTakeFirstOrThrow();
      const event = await firstRefused(trx, batch.events, (events) => archive(trx, events));
      if (event) found = { event, table: 'archive' };
      else {
        const schema = generationSchema(active);
        const row = await firstRefused(trx, batch.rows, (rows) => writeRows(trx, schema, rows));
        // A flag's row may have moved with a segment or a rollout: then the newest event of the project tells the place.
        const own = batch.events.filter(({ project }) => project === row?.project);
        const culprit = own.findLast(({ aggregateId }) => aggregateId === row?.id) ?? own.at(-1);
        if (row && culprit) found = { event: culprit, table: row.table };
      }
      throw takeBack;
    })
    .catch((cause) => {
      if (cause !== takeBack) throw cause;
    });
  return found;
};

/** By halves, as a batch has thousands. */
const firstRefused = async <T>(
  trx: Database,
  items: readonly T[],
  write: (items: readonly T[]) => Promise<void>,
): Promise<T | null> => {
  const isTaken = async (some: readonly T[]): Promise<boolean> => {
    await sql`savepoint look`.execute(trx);
    try {
      await write(some);
      return true;
    } catch (cause) {
      if (!isContentRefused(cause)) throw cause;
      return false;
    } finally {
      await sql`rollback to savepoint look`.execute(trx);
    }
  };
  if (await isTaken(items)) return null;
  let rest = items;
  while (rest.length > 1) {
    const half = rest.slice(0, Math.ceil(rest.length / 2));
    rest = (await isTaken(half)) ? rest.slice(half.length) : half;
  }
  return rest[0] ?? null;
};
