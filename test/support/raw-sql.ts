import type { Database } from '@headgate/read-model';
import { sql } from 'kysely';

/** For specs outside libs/read-model that have to do to the tables what no code of ours does. */
export const rawSql = async <Row = unknown>(db: Database, text: string): Promise<readonly Row[]> =>
  (await sql.raw<Row>(text).execute(db)).rows;
