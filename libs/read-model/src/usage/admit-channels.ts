import { sql } from 'kysely';
import type { Database } from '../database.js';
import { channelName } from './fold-usage.js';
import type { UsageReport } from './usage-report.js';

/** Reports name their channel themselves, and a site counts channels of its upstreams too, which its own log does not know. */
const MOST_CHANNELS = 2_000;

/** The reports of channels that are counted; those of new channels too as long as there is room. Notes when each was heard of. */
export const admitChannels = async (
  trx: Database,
  reports: readonly UsageReport[],
): Promise<readonly UsageReport[]> => {
  const heard = new Map<string, { project: string; channel: string; firstAt: number; lastAt: number }>();
  for (const { project, channel, at } of reports) {
    const name = channelName({ project, channel });
    const { firstAt = at, lastAt = at } = heard.get(name) ?? {};
    heard.set(name, { project, channel, firstAt: Math.min(firstAt, at), lastAt: Math.max(lastAt, at) });
  }
  const channels = [...heard.values()];
  const { rows } = await sql<{ project: string; channel: string }>`
    with heard as (
      select * from unnest(${channels.map((one) => one.project)}::text[], ${channels.map((one) => one.channel)}::text[],
        ${channels.map((one) => one.firstAt)}::bigint[], ${channels.map((one) => one.lastAt)}::bigint[])
        as h(project, channel, first_at, last_at)
    ), fresh as (
      select * from heard where (project, channel) not in (select project, channel from headgate.usage_channel)
      limit greatest(0, ${MOST_CHANNELS}::int - (select count(*) from headgate.usage_channel))
    )
    insert into headgate.usage_channel as c (project, channel, first_at, last_at, dropped_variants, dropped_unknown)
    select project, channel, first_at, last_at, 0, 0 from heard
      where (project, channel) in (select project, channel from headgate.usage_channel)
        or (project, channel) in (select project, channel from fresh)
    on conflict (project, channel) do update set last_at = greatest(c.last_at, excluded.last_at)
    returning project, channel`.execute(trx);
  const admitted = new Set(rows.map(channelName));
  return reports.filter((report) => admitted.has(channelName(report)));
};
