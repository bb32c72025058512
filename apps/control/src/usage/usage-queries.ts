import type { FlagUsageView, UnknownFlagsView } from '@headgate/contracts';
import type { FlagUsage } from '@headgate/domain';
import { channelUsage, type Database, lastServed, servedVariants, unknownFlags } from '@headgate/read-model';
import { type Log, RequestRefused } from '@headgate/service-kit';
import { notHere } from '../operations/not-here.js';

/** What is known of every flag of a channel; null where nobody reports, or nobody counts what is reported. */
export type ChannelUsage = {
  /** Of the flag of that key that was made at `createdAt`: an earlier one of the same key is another flag. */
  readonly of: (key: string, createdAt: number) => FlagUsage;
} | null;

export interface UsageQueryOptions {
  /** Without it this process knows nothing of the use of flags. */
  readonly db: Database | undefined;
  readonly now: () => number;
  readonly log: Pick<Log, 'warn'>;
}

/** A channel that is silent for longer has stopped reporting: that says nothing of its flags. */
const SILENT_MS = 7 * 86_400_000;

/** What reports said of the use of flags, as the projector has counted it. */
export class UsageQueries {
  constructor(private readonly options: UsageQueryOptions) {}

  /** For what is shown beside a flag: an answer without it is better than none while Postgres is away. */
  async ofChannel(project: string, channel: string): Promise<ChannelUsage> {
    const { db, now, log } = this.options;
    if (!db) return null;
    try {
      const { firstReportAt: knownSince, lastReportAt } = await channelUsage(db, project, channel);
      if (knownSince === null || lastReportAt === null || lastReportAt < now() - SILENT_MS) return null;
      const served = await lastServed(db, project, channel);
      return {
        of: (key, createdAt) => {
          const all = served.get(key) ?? [];
          const variants = all.filter(({ lastServedAt }) => lastServedAt >= createdAt);
          const lastEvaluatedAt = variants.reduce<number | null>(
            (last, { lastServedAt }) => Math.max(last ?? 0, lastServedAt),
            null,
          );
          return { lastEvaluatedAt, knownSince, variants };
        },
      };
    } catch (cause) {
      log.warn('flags are shown without their use: Postgres does not answer', { error: cause });
      return null;
    }
  }

  async ofFlag(project: string, channel: string, key: string): Promise<Omit<FlagUsageView, 'health'>> {
    return this.read(async (db) => {
      const { firstReportAt, lastReportAt } = await channelUsage(db, project, channel);
      const variants = (await servedVariants(db, project, channel, key)).get(key) ?? [];
      const wanted = variants.filter(({ source }) => source !== 'list');
      return {
        project,
        channel,
        key,
        count: wanted.reduce((sum, { count }) => sum + count, 0),
        firstServedAt: wanted.length === 0 ? null : Math.min(...wanted.map(({ firstAt }) => firstAt)),
        lastServedAt: wanted.length === 0 ? null : Math.max(...wanted.map(({ lastAt }) => lastAt)),
        variants: [...variants],
        firstReportAt,
        lastReportAt,
      };
    });
  }

  /** `defined`: keys that the channel has meanwhile are no longer unknown. */
  async unknown(project: string, channel: string, defined: ReadonlySet<string>): Promise<UnknownFlagsView> {
    return this.read(async (db) => {
      const { droppedUnknown } = await channelUsage(db, project, channel);
      const items = await unknownFlags(db, project, channel);
      return {
        items: items
          .filter(({ key }) => !defined.has(key))
          .map(({ key, firstAt, lastAt, instances }) => ({
            key,
            firstAskedAt: firstAt,
            lastAskedAt: lastAt,
            instances,
          })),
        dropped: droppedUnknown,
      };
    });
  }

  private async read<T>(query: (db: Database) => Promise<T>): Promise<T> {
    const { db } = this.options;
    if (!db) return notHere('the use of flags');
    try {
      return await query(db);
    } catch (cause) {
      const refused = new RequestRefused('read-model-behind', 'Postgres does not answer');
      refused.cause = cause;
      throw refused;
    }
  }
}
