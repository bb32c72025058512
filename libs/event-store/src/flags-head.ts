import { channelPrefix, STREAMS, signedHead } from '@headgate/contracts';
import type { StoredMessage, Streams } from '@headgate/streams';

/** How much of a project's log its signed commits show to have been there. Channels: those the caller knows of. */
export type FlagsHead = (
  project: string,
  channels: Iterable<string>,
) => Promise<{ readonly epoch: number; readonly position: number } | null>;

/** Reads the newest commit of each channel in FLAGS and gives the highest position. Throws when a commit cannot be read. */
export const flagsHeadReader =
  (streams: Streams): FlagsHead =>
  async (project, channels) => {
    // A log that lost everything knows no channels: then the newest commit of whatever channel tells.
    const filters = ['*', ...channels].map((channel) => `${channelPrefix(project, channel)}.c.*`);
    const newest = await Promise.all(filters.map((filter) => streams.last(STREAMS.flags, filter)));
    let highest: { readonly epoch: number; readonly position: number } | null = null;
    for (const message of newest) {
      if (message === null) continue;
      const { epoch, position } = readHead(message);
      if (highest === null || position > highest.position) highest = { epoch, position };
    }
    return highest;
  };

const readHead = (message: StoredMessage) => {
  const commit = JSON.parse(Buffer.from(message.data).toString()) as { readonly head?: unknown };
  const head = signedHead.safeParse(commit?.head);
  if (!head.success)
    throw new Error(`the commit at ${message.subject} (sequence ${message.sequence}) has no head`);
  return head.data.h;
};
