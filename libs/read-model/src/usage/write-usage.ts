import type { Database } from '../database.js';
import { CheckpointMoved } from '../projections/write-batch.js';
import { admitChannels } from './admit-channels.js';
import { foldUsage } from './fold-usage.js';
import { readBoots, writeBoots } from './usage-boots.js';
import type { UsageCheckpoint, UsageReport } from './usage-report.js';
import { writeServed, writeUnknown } from './usage-rows.js';

export interface UsageBatch {
  readonly from: UsageCheckpoint;
  /** The same as `from` when only some reports of a message are written. */
  readonly to: UsageCheckpoint;
  readonly reports: readonly UsageReport[];
  /** Messages or reports that could not be read. */
  readonly skipped: number;
}

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
 * wherever its reader was killed. Throws `CheckpointMoved` when another reader was quicker; nothing is written then. `leftOut`:
 * reports of more channels than there is room for.
 */
export const writeUsage = (db: Database, batch: UsageBatch): Promise<{ readonly leftOut: number }> =>
  db.transaction().execute(async (trx) => {
    // First: its row is the lock of all that follows.
    await moveCheckpoint(trx, batch);
    if (batch.reports.length === 0) return { leftOut: 0 };
    const reports = await admitChannels(trx, batch.reports);
    const rise = foldUsage(await readBoots(trx, reports), reports);
    await writeBoots(trx, [...rise.boots.values()]);
    const left = await writeServed(trx, [...rise.served.values()]);
    const unheard = await writeUnknown(trx, [...rise.unknown.values()]);
    for (const [channel, many] of rise.left) left.set(channel, (left.get(channel) ?? 0) + many);
    await noteLeft(trx, 'dropped_variants', left);
    await noteLeft(trx, 'dropped_unknown', unheard);
    return { leftOut: batch.reports.length - reports.length };
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

const noteLeft = async (
  trx: Database,
  column: 'dropped_variants' | 'dropped_unknown',
  left: ReadonlyMap<string, number>,
): Promise<void> => {
  for (const [name, many] of left) {
    const [project = '', channel = ''] = name.split('\n');
    await trx
      .updateTable('usage_channel')
      .set((set) => ({ [column]: set(column, '+', many) }))
      .where('project', '=', project)
      .where('channel', '=', channel)
      .execute();
  }
};
