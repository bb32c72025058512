import { gunzipSync } from 'node:zlib';
import { channelPrefix, STREAMS, signedHead } from '@headgate/contracts';
import type { StoredMessage, Streams } from '@headgate/streams';

/** How much of a project's log its signed commits show to have been there. Channels: those the caller knows of. */
export type FlagsHead = (
  project: string,
  channels: Iterable<string>,
) => Promise<{ readonly epoch: number; readonly position: number } | null>;

/** Of one chunk, unpacked; a chunk is made from at most 256 KiB of documents. */
const MAX_CHUNK_BYTES = 64 * 1_048_576;

/**
 * Reads the newest commit and the newest snapshot of each channel in FLAGS (a channel's first state may be a snapshot alone) and
 * gives the highest position. Throws when one of them cannot be read.
 */
export const flagsHeadReader =
  (streams: Streams): FlagsHead =>
  async (project, channels) => {
    // A log that lost everything knows no channels: then whatever channel was published last tells.
    const filters = ['*', ...channels].flatMap((channel) => {
      const prefix = channelPrefix(project, channel);
      return [`${prefix}.c.*`, `${prefix}.s.*.0`];
    });
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
  const found = parse(message) as { readonly head?: unknown } | null;
  const head = signedHead.safeParse(found?.head);
  if (!head.success)
    throw new Error(`the message at ${message.subject} (sequence ${message.sequence}) has no head`);
  return head.data.h;
};

const GZIP_MAGIC = 0x1f;

const parse = ({ data, subject, sequence }: StoredMessage): unknown => {
  try {
    const bytes =
      data[0] === GZIP_MAGIC ? gunzipSync(data, { maxOutputLength: MAX_CHUNK_BYTES }) : Buffer.from(data);
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new Error(`the message at ${subject} (sequence ${sequence}) cannot be read`, { cause });
  }
};
