import { channelFilter, type TrustBundle } from '@headgate/contracts';
import type { Streams } from '@headgate/streams';
import type { ChannelReader } from '@headgate/trust';
import { ChannelIntake } from './channel-intake.js';
import type { RefusedMessage } from './channel-news.js';
import { Shelf, type StoredSnapshot } from './shelf.js';

export interface ReadChannelOptions {
  readonly streams: Streams;
  readonly stream: string;
  readonly project: string;
  readonly channel: string;
  readonly pin: string;
  readonly now: () => number;
  /** Known to the caller, and at least as new as the stream's. */
  readonly trust?: TrustBundle;
  readonly onRefused?: (refused: RefusedMessage) => void;
}

export interface ChannelReading {
  /** Holds what could be verified; `reader.tip` is null when that is nothing. */
  readonly reader: ChannelReader;
  /** Sequence of the newest message on the channel's subjects; 0 for none. */
  readonly lastSequence: number;
  /** The newest complete one, verified or not (it may be of an epoch whose trust is still to come); null for none. */
  readonly snapshot: StoredSnapshot | null;
  /** As it stands in the stream, verified by nobody. */
  readonly storedTrust: Uint8Array | null;
}

/** What the stream says of a channel now, read once to its tail. */
export async function readChannel(options: ReadChannelOptions): Promise<ChannelReading> {
  const { streams, stream, project, channel } = options;
  const shelf = new Shelf(project, channel);
  let lastSequence = 0;
  const subscription = streams.follow(stream, {
    filter: channelFilter(project, channel),
    from: 'last-per-subject',
  });
  subscription.caughtUp.then(
    () => subscription.close(),
    () => {},
  );
  for await (const message of subscription) {
    shelf.put(message);
    lastSequence = Math.max(lastSequence, message.sequence);
    if (message.pending === 0) break;
  }
  await subscription.close();
  const intake = new ChannelIntake({ ...options, onChange: () => {} });
  if (options.trust !== undefined) intake.reader.acceptTrust(options.trust);
  intake.takeAll(shelf);
  const snapshot = shelf.snapshots()[0] ?? null;
  return { reader: intake.reader, lastSequence, snapshot, storedTrust: shelf.trust?.data ?? null };
}
