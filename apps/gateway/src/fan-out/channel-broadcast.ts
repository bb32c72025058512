import type { Beat, ChannelState, Commit, TrustBundle } from '@headgate/contracts';
import { CommitRing } from './commit-ring.js';
import { Fanout, type FanoutOptions } from './fanout.js';
import {
  beatFrame,
  bodyOf,
  commitFrame,
  type EncodedState,
  encodeState,
  revisionOf,
  trustFrame,
} from './frames.js';
import type { ClientSocket } from './stream-client.js';

export interface BroadcastOptions extends FanoutOptions {
  /** Between servers a channel beats every few seconds; clients get a beat this seldom. */
  readonly beatEveryMs?: number;
}

const RING_LIMITS = { commits: 1_024, bytes: 8 * 1_048_576 };

/**
 * One channel's clients, and what they are sent. Every event is encoded once, whatever the number of clients; the state is
 * encoded when somebody asks for it, once per revision. Feed it only what was verified.
 */
export class ChannelBroadcast {
  private readonly fanout: Fanout;
  private readonly ring = new CommitRing(RING_LIMITS);
  private readonly beatEveryMs: number;
  private readState: () => ChannelState | null = () => null;
  private encoded: EncodedState | null = null;
  private head: { readonly epoch: number; readonly n: number } | null = null;
  private trust: Buffer | null = null;
  private beat: Buffer | null = null;
  private beatSentAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: BroadcastOptions) {
    this.fanout = new Fanout(options, () => this.state()?.frame ?? null);
    this.beatEveryMs = options.beatEveryMs ?? 60_000;
  }

  get clientCount(): number {
    return this.fanout.clientCount;
  }

  /** JSON of the newest trust bundle; null before the first state. */
  get trustBody(): Buffer | null {
    return this.trust === null ? null : bodyOf(this.trust);
  }

  /** `<epoch>.<n>` of what clients are given; null before the first state. */
  get revision(): string | null {
    return this.head === null ? null : revisionOf(this.head);
  }

  /** `read` gives the whole state at any later moment, newest commits included. */
  onState(state: ChannelState, read: () => ChannelState | null): void {
    this.readState = read;
    const isNews = this.revision !== revisionOf(state.head.h);
    this.head = state.head.h;
    this.trust = trustFrame(state.trust);
    this.beat = state.beat === undefined ? null : beatFrame(state.beat);
    this.encoded = null;
    if (!isNews) return;
    this.ring.clear();
    const encoded = this.fanout.clientCount > 0 ? this.state() : null;
    if (encoded !== null) this.fanout.send(encoded.frame, true);
  }

  onCommit(commit: Commit): void {
    const { h } = commit.head;
    this.head = h;
    this.encoded = null;
    const frame = commitFrame(commit);
    this.ring.push(h, frame);
    this.fanout.send(
      frame,
      commit.changes.some(({ doc }) => doc?.killed !== undefined),
    );
  }

  onBeat(beat: Beat): void {
    const now = this.options.now();
    const isFirst = this.beat === null;
    this.beat = beatFrame(beat);
    if (!isFirst && now - this.beatSentAt < this.beatEveryMs) return;
    this.encoded = null;
    this.beatSentAt = now;
    this.fanout.send(this.beat, false);
  }

  onTrust(trust: TrustBundle): void {
    this.trust = trustFrame(trust);
    this.encoded = null;
    this.fanout.send(this.trust, true);
  }

  heartbeat(): void {
    this.fanout.heartbeat();
  }

  /** Gives the client what it needs to be at the newest revision. Returns what lets it go. */
  join(socket: ClientSocket, lastEventId: string | undefined): () => void {
    return this.fanout.join(socket, () => this.resumption(lastEventId) ?? this.state()?.frame ?? null);
  }

  close(): void {
    this.fanout.close();
  }

  /** The state as it is now, encoded once for everybody who asks before it changes; null before the first. */
  state(): EncodedState | null {
    if (this.encoded !== null) return this.encoded;
    const state = this.readState();
    this.encoded = state === null ? null : encodeState(state);
    return this.encoded;
  }

  /** Trust, the commits it missed, and the newest beat; null when only the whole state will do. */
  private resumption(lastEventId: string | undefined): Buffer | null {
    const { head, trust, beat } = this;
    const [, epoch, n] = /^(\d{1,15})\.(\d{1,15})$/.exec(lastEventId ?? '') ?? [];
    if (head === null || trust === null || beat === null || epoch === undefined) return null;
    if (Number(epoch) !== head.epoch) return null;
    // A client that is ahead of us needs nothing but to wait until we have caught up.
    const missed = Number(n) >= head.n ? [] : this.ring.since(head.epoch, Number(n));
    return missed === null ? null : Buffer.concat([trust, ...missed, beat]);
  }
}
