import {
  type FlagDefinition,
  type FlagView,
  flagView,
  type SegmentDefinition,
  type SegmentView,
  segmentView,
} from '@headgate/contracts';
import type { FlagFile } from '@headgate/flag-file';
import { z } from 'zod';
import type { Session } from '../session.js';

/** What a channel has, and as a flag file would say it. Archived flags and removed segments are no part of it. */
export interface ChannelContent {
  readonly path: readonly string[];
  readonly project: string;
  readonly channel: string;
  readonly flags: readonly FlagView[];
  readonly segments: readonly SegmentView[];
  readonly file: FlagFile;
}

export const channelContent = async (session: Session): Promise<ChannelContent> => {
  const project = await session.project();
  const channel = await session.channel(project);
  const path = ['v1', 'projects', project, 'channels', channel];
  const list = async <T>(what: string, item: z.ZodType<T>): Promise<readonly T[]> => {
    const answer = z.object({ items: z.array(item) });
    return (await session.client.call({ method: 'GET', path: [...path, what], answer })).items;
  };
  const flags = (await list('flags', flagView)).filter(({ status }) => status !== 'archived');
  const segments = (await list('segments', segmentView)).filter(({ status }) => status === 'active');
  const byName = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
    Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    path,
    project,
    channel,
    flags,
    segments,
    file: {
      schema: 'headgate.flags.v1',
      channel,
      ...(segments.length === 0
        ? {}
        : {
            segments: byName(
              segments.map(
                ({ name, definition }) => [name, definition as unknown as SegmentDefinition] as const,
              ),
            ),
          }),
      flags: byName(
        flags.map(({ key, definition }) => [key, definition as unknown as FlagDefinition] as const),
      ),
    },
  };
};
