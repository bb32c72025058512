import { sql } from 'kysely';
import type { Database } from '../database.js';

const DAY_MS = 86_400_000;

/**
 * A process that is silent for longer is taken for ended; should it speak again, its totals count a second time. Three times as
 * long as TELEMETRY keeps reports.
 */
const BOOT_DAYS = 90;
/** Of one instance: more processes than share one at a time, with room for some that have gone. */
const BOOTS_OF_INSTANCE = 64;
/** Of all channels; the longest silent go first. */
const MOST_BOOTS = 1_000_000;
/** A flag that nothing has served for longer reads as one that nothing ever served. */
const VARIANT_DAYS = 400;
const UNKNOWN_DAYS = 30;

/** Forgets what nobody has said for long. Safe at any time, beside `writeUsage` too. Returns the number of rows. */
export const retainUsage = (db: Database, now: number): Promise<number> =>
  db.transaction().execute(async (trx) => {
    // The writers' lock: none of them may be adding to a row that goes.
    await sql`select 1 from headgate.usage_checkpoint for update`.execute(trx);
    const before = (days: number): number => now - days * DAY_MS;
    const gone = [
      await sql`delete from headgate.usage_boot where last_at < ${before(BOOT_DAYS)}`.execute(trx),
      await sql`delete from headgate.usage_boot b using (
          select project, channel, instance, boot_id,
            row_number() over (partition by project, channel, instance order by last_at desc, boot_id) as nth,
            row_number() over (order by last_at desc, instance, boot_id) as nth_of_all
          from headgate.usage_boot) o
        where (o.nth > ${BOOTS_OF_INSTANCE} or o.nth_of_all > ${MOST_BOOTS})
          and b.project = o.project and b.channel = o.channel and b.instance = o.instance and b.boot_id = o.boot_id`.execute(
        trx,
      ),
      await sql`delete from headgate.usage_variant where last_at < ${before(VARIANT_DAYS)}`.execute(trx),
      await sql`delete from headgate.usage_unknown where last_at < ${before(UNKNOWN_DAYS)}`.execute(trx),
      await sql`delete from headgate.usage_channel where last_at < ${before(VARIANT_DAYS)}`.execute(trx),
    ];
    return gone.reduce((sum, { numAffectedRows }) => sum + Number(numAffectedRows ?? 0n), 0);
  });
