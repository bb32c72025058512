import { readChannel } from '@headgate/channel-stream';
import { STREAMS } from '@headgate/contracts';
import type { Streams } from '@headgate/streams';
import { ChannelAuthor, type ChannelDelegation } from '@headgate/trust';
import type { TrustKeeper } from '../keys/trust-keeper.js';
import type { ProjectFold } from '../log/project-fold.js';
import { sortOut, type Withheld } from './sort-out.js';

export interface JoinOptions {
  readonly streams: Streams;
  readonly keeper: TrustKeeper;
  readonly fold: ProjectFold;
  readonly channel: string;
  readonly now: () => number;
}

/** A channel as it stands in the stream, read under our own trust and made ready to be continued. */
export interface JoinedChannel {
  readonly author: ChannelAuthor;
  readonly delegation: ChannelDelegation;
  /** Newest message on any of the channel's subjects; 0 for none. */
  readonly sequence: number;
  readonly snapshot: { readonly slot: 0 | 1; readonly n: number };
  readonly beatIssuedAt: number;
  /** What stands in the stream about trust: nothing of this channel, another epoch or floor, or these until then. */
  readonly storedTrust: 'none' | 'other-delegation' | { readonly expiresAt: number };
  /** The channel holds nothing yet in this epoch: `author` has made its first head, which no reader has seen. */
  readonly isBegun: boolean;
  /** Flags of which the log says something else, and can be published. */
  readonly differing: readonly string[];
  readonly withheld: readonly Withheld[];
}

/** FLAGS covers more of the log than we have read. A moment's matter with two publishers; else the log lost its tail. */
export class LogBehindFlags extends Error {
  override readonly name = 'LogBehindFlags';
}

export async function joinChannel(options: JoinOptions): Promise<JoinedChannel> {
  const { streams, keeper, fold, channel, now } = options;
  const place = { project: fold.project, channel };
  const read = () =>
    readChannel({ ...place, streams, stream: STREAMS.flags, pin: keeper.pin, trust: keeper.bundle, now });
  keeper.reload();
  // In this order: the mark is made when the stream holds something, so after it an empty stream is a lost one.
  const wasPublished = keeper.isPublished(place.project, channel);
  let reading = await read();
  const stored = reading.storedTrust === null ? null : keeper.adopt(reading.storedTrust);
  const before = keeper.delegation(place.project, channel);
  const isLost = wasPublished && reading.lastSequence === 0;
  const delegated = keeper.delegate({
    ...place,
    epoch: fold.head?.epoch ?? 0,
    commitFloor: reading.reader.tip?.h.n ?? before?.commitFloor ?? 0,
  });
  const delegation = isLost ? keeper.skipLostCommits(place.project, channel) : delegated;
  keeper.renew();
  // What was read under another delegation says nothing about this one.
  if (delegation !== before) reading = await read();
  const { tip, beat } = reading.reader;
  const position = fold.head?.position ?? 0;
  if (tip !== null && tip.h.position > position)
    throw new LogBehindFlags(
      `${place.project}/${channel} is published up to position ${tip.h.position}, the log is read up to ${position}: if it stays so, restore the log`,
    );
  const key = keeper.channelKey(place.project, channel);
  const state = reading.reader.signedState();
  const author =
    state === null
      ? ChannelAuthor.begin(delegation, key)
      : ChannelAuthor.resume(state.head, state.documents, key);
  const all = sortOut(fold, channel, fold.flagIds(channel, author.documents), author.documents);
  if (state === null) author.commit(all.changes, position);
  const { snapshot } = reading;
  const storedDelegation = stored?.delegations.get(`flags/${place.project}/${channel}`);
  return {
    author,
    delegation,
    sequence: reading.lastSequence,
    snapshot: {
      slot: snapshot?.slot ?? 1,
      n: snapshot?.head.h.epoch === delegation.epoch ? snapshot.head.h.n : 0,
    },
    beatIssuedAt: beat?.issuedAt ?? 0,
    storedTrust:
      stored === null || storedDelegation === undefined
        ? 'none'
        : storedDelegation.epoch === delegation.epoch &&
            storedDelegation.commitFloor === delegation.commitFloor
          ? { expiresAt: stored.expiresAt }
          : 'other-delegation',
    isBegun: state === null,
    differing: author.differing(all.changes).map(({ flagId }) => flagId),
    withheld: all.withheld,
  };
}
