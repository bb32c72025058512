import { join } from 'node:path';
import {
  type ChannelNews,
  type ChannelStream,
  openChannelStream,
  type RefusedMessage,
} from '@headgate/channel-stream';
import { CopyKeeper, LocalCopy } from '@headgate/sdk';
import type { Streams } from '@headgate/streams';
import { type ChannelReader, openChannelReader } from '@headgate/trust';
import { ChannelBroadcast } from '../fan-out/channel-broadcast.js';
import { ChannelFlagSet, type ChannelFlags } from '../flag-set/channel-flags.js';
import type { GatewayOptions } from '../gateway-options.js';
import type { ChannelSource } from './channel-source.js';

export interface ChannelWatch {
  /** The source says again what can be taken. */
  onVerified(channel: ServedChannel): void;
  onRefused(channel: ServedChannel, refused: RefusedMessage): void;
  onInterrupted(channel: ServedChannel, error: Error): void;
  onProblem(channel: ServedChannel, message: string): void;
  /** A flag that flagd clients cannot be given. */
  onLeftOut(channel: ServedChannel, key: string, problem: string): void;
}

export interface ChannelAddress {
  readonly source: ChannelSource;
  readonly project: string;
  readonly channel: string;
}

/** One channel: verified from disk or stream, never re-signed, handed to its clients, and kept for the next start. */
export class ServedChannel {
  readonly broadcast: ChannelBroadcast;
  private readonly flagSet: ChannelFlagSet;
  private readonly copy: LocalCopy | null;
  private readonly keeper: CopyKeeper | null;
  private reader: ChannelReader;
  private stream: ChannelStream | null = null;
  private hasLooked = false;

  constructor(
    readonly address: ChannelAddress,
    private readonly options: GatewayOptions,
    private readonly watch: ChannelWatch,
  ) {
    const { source, project, channel } = address;
    const { now, dataDir, beatEveryMs } = options;
    this.broadcast = new ChannelBroadcast({ now, ...(beatEveryMs === undefined ? {} : { beatEveryMs }) });
    this.flagSet = new ChannelFlagSet({
      project,
      channel,
      now,
      onLeftOut: (key, problem) => watch.onLeftOut(this, key, problem),
    });
    this.copy =
      dataDir === null
        ? null
        : new LocalCopy(join(dataDir, source.root), `${project}.${channel}`, options.newId(), now);
    const complain = (message: string): void => watch.onProblem(this, message);
    this.keeper =
      this.copy && new CopyKeeper(this.copy, () => this.copyContent(), now, options.random, complain);
    this.reader = this.openFromDisk();
  }

  /** Whether there is a verified state to give to anybody. */
  get isServing(): boolean {
    return this.broadcast.revision !== null;
  }

  /** Whether the source's stream was looked through since this process started: the copy on disk may be older than what was served. */
  get isCaughtUp(): boolean {
    return this.hasLooked;
  }

  /** What the doors that evaluate answer from. */
  get flags(): ChannelFlags {
    return this.flagSet;
  }

  get isStale(): boolean {
    return this.reader.freshness().status !== 'fresh';
  }

  /** Resolves when everything in the stream at that moment was looked at. */
  follow(streams: Streams): Promise<void> {
    const { source, project, channel } = this.address;
    this.stream = openChannelStream({
      streams,
      stream: source.stream,
      project,
      channel,
      pin: source.pin,
      now: this.options.now,
      seen: this.reader.seen,
      local: this.reader.localState(),
      onChange: (news) => this.onNews(news),
      onRefused: (refused) => this.watch.onRefused(this, refused),
      onInterrupted: (error) => this.watch.onInterrupted(this, error),
    });
    this.reader = this.stream.reader;
    const { ready } = this.stream;
    void ready.then(
      () => {
        this.hasLooked = true;
      },
      () => {},
    );
    return ready;
  }

  async close(): Promise<void> {
    await this.stream?.close();
    await this.keeper?.close();
    this.broadcast.close();
    this.flagSet.close();
  }

  private onNews(news: ChannelNews): void {
    // A beat of an older head can be verified too, and says nothing for a source that went back.
    const isOfTip = news.type !== 'beat' || news.beat.n === this.reader.tip?.h.n;
    if (news.type !== 'trust' && isOfTip) this.watch.onVerified(this);
    this.takeFlags(news);
    switch (news.type) {
      case 'state':
        this.broadcast.onState(news.state, () => this.reader.signedState());
        break;
      case 'commit':
        this.broadcast.onCommit(news.commit);
        break;
      case 'beat':
        this.broadcast.onBeat(news.beat);
        break;
      case 'trust':
        this.broadcast.onTrust(news.trust);
        break;
    }
    this.keeper?.changed();
  }

  private takeFlags(news: ChannelNews): void {
    const { state, tip } = this.reader;
    if (state === null || tip === null) return;
    // The stream has a reader of its own: its first state says nothing of what the one that read the disk had served.
    if (news.type === 'state') this.flagSet.sync(state, tip.h);
    else this.flagSet.apply(news.changed, state, tip.h);
  }

  private openFromDisk(): ChannelReader {
    const { source, project, channel } = this.address;
    const stored = this.copy?.load();
    for (const problem of stored?.problems ?? []) this.watch.onProblem(this, problem);
    const reader = openChannelReader({
      project,
      channel,
      pin: source.pin,
      now: this.options.now,
      seen: stored?.seen ?? null,
    });
    if (stored?.state === null || stored?.state === undefined) return reader;
    const acceptance = reader.acceptState(stored.state);
    const state = reader.signedState();
    if (acceptance.ok && state !== null) {
      this.broadcast.onState(state, () => this.reader.signedState());
      if (reader.state !== null) this.flagSet.sync(reader.state, state.head.h);
    } else if (!acceptance.ok) {
      this.watch.onProblem(this, `copy on disk is not served, ${acceptance.code}: ${acceptance.message}`);
    }
    return reader;
  }

  private copyContent(): ReturnType<ConstructorParameters<typeof CopyKeeper>[1]> {
    const state = this.reader.localState();
    const { seen } = this.reader;
    return state === null || seen === null ? null : { state, seen };
  }
}
