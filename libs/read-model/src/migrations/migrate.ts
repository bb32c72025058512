import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { type Database, generationSchema } from '../database.js';
import { activationSql, generationSql, MIGRATIONS, viewTablesSql } from './migrations.js';

/** Somebody changed a migration that this database has already gone through, or a newer Headgate has used the database. */
export class MigrationMismatch extends Error {
  override readonly name = 'MigrationMismatch';
}

/** Any number will do, as long as every Headgate takes the same. */
const ADVISORY_LOCK = 4_846_117;

/** Brings the database to this version, once, whoever else starts at the same time; makes the first generation. */
export const migrate = (db: Database): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${ADVISORY_LOCK})`.execute(trx);
    await sql`create schema if not exists headgate`.execute(trx);
    await sql`create table if not exists headgate.migration
      (id int primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`.execute(
      trx,
    );
    const applied = await trx.selectFrom('migration').select(['id', 'name', 'checksum']).execute();
    for (const { id, name, checksum } of applied) {
      const known = MIGRATIONS.find((migration) => migration.id === id);
      if (!known || checksumOf(known.sql) !== checksum)
        throw new MigrationMismatch(
          `Postgres: migration ${id} "${name}" was applied by another version of Headgate; start that version, or give this one an empty database and run \`headgate projection rebuild\``,
        );
    }
    for (const { id, name, sql: text } of MIGRATIONS.filter(
      (one) => !applied.some((done) => done.id === one.id),
    )) {
      await sql.raw(text).execute(trx);
      await sql`insert into headgate.migration (id, name, checksum) values (${id}, ${name}, ${checksumOf(text)})`.execute(
        trx,
      );
    }
    const { active } = await trx.selectFrom('generation').select('active').executeTakeFirstOrThrow();
    if (active === 0) {
      await sql.raw(generationSql(generationSchema(1))).execute(trx);
      await sql.raw(activationSql(generationSchema(1), 1)).execute(trx);
    } else {
      await sql.raw(viewTablesSql(generationSchema(active))).execute(trx);
      await sql.raw(activationSql(generationSchema(active), active)).execute(trx);
    }
  });

const checksumOf = (text: string): string => createHash('sha256').update(text).digest('hex');
