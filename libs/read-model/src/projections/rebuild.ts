import type { ProjectState } from '@headgate/domain';
import { sql } from 'kysely';
import { type Database, generationSchema } from '../database.js';
import { activationSql, generationSql } from '../migrations/migrations.js';
import { allRows } from './view-rows.js';
import { type Checkpoint, writeRows } from './write-batch.js';

/**
 * Fills fresh tables from folds that stand at `checkpoint` and switches readers over, in one transaction. The caller has
 * stopped writing; a projector elsewhere meets `CheckpointMoved`. Returns the number of rows.
 */
export const replaceGeneration = (
  db: Database,
  folds: ReadonlyMap<string, ProjectState>,
  checkpoint: Checkpoint,
): Promise<{ readonly generation: number; readonly rows: number }> =>
  db.transaction().execute(async (trx) => {
    const { active } = await trx
      .selectFrom('generation')
      .select('active')
      .forUpdate()
      .executeTakeFirstOrThrow();
    const [generation, old] = [active + 1, generationSchema(active)];
    const schema = generationSchema(generation);
    await sql.raw(generationSql(schema)).execute(trx);
    const rows = [...folds].flatMap(([project, state]) => allRows(project, state));
    await writeRows(trx, schema, rows);
    await sql`update ${sql.raw(schema)}.checkpoint set stream_created = ${checkpoint.streamCreated},
      stream_sequence = ${checkpoint.streamSequence}, heads = ${JSON.stringify(checkpoint.heads)}::jsonb`.execute(
      trx,
    );
    await sql.raw(activationSql(schema, generation)).execute(trx);
    await sql.raw(`drop schema ${old} cascade`).execute(trx);
    return { generation, rows: rows.length };
  });
