import { sql } from 'kysely';
import type { Database } from '../database.js';
import { type Boot, bootName } from './fold-usage.js';
import type { UsageReport } from './usage-report.js';

/** What the processes of these reports have said before. */
export const readBoots = async (
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

export const writeBoots = async (
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
