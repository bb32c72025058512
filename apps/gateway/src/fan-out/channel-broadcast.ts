import type { Beat, ChannelState, Commit, TrustBundle } from '@headgate/contracts';
import { CommitRing } from './commit-ring.js';
import {
  beatFrame,
  bodyOf,
  commitFrame,
  type EncodedState,
  encodeState,
  HEARTBEAT,
  revisionOf,
  trustFrame,
} from './frames.js';
import { type ClientLimits, type ClientSocket, type Fresh, StreamClient } from './stream-client.js';

export interface BroadcastOptions {
  readonly now: () => number;
  /** Commits that come within this time go out in one write; a kill never waits. */
  readonly tickMs?: number;
  /** Between servers a channel beats every few seconds; clients get a beat this seldom. */
  readonly beatEveryMs?: number;
  readonly client?: Partial<ClientLimits>;
  /** Clients written to before other work gets its turn. */
  readonly sliceSize?: number;
}

interface Send {
  readonly number: number;
  readonly bytes: Buffer;
}

const CLIENT_LIMITS: ClientLimits = { maxBufferedBytes: 1_048_576, stalledMs: 30_000 };
const RING_LIMITS = { commits: 1_024, bytes: 8 * 1_048_576 };

/**
 * One channel's clients, and what they are sent. Every event is encoded once, whatever the number of clients; the state is
 * encoded when somebody asks for it, once per revision. Feed it only what was verified.
 */
export class ChannelBroadcast {
  private readonly clients = new Set<StreamClient>();
  private readonly ring = new CommitRing(RING_LIMITS);
  private readonly limits: ClientLimits;
  private readonly tickMs: number;
  private readonly beatEveryMs: number;
  private readonly sliceSize: number;
  private readState: () => ChannelState | null = () => null;
  private encoded: EncodedState | null = null;
  private head: { readonly epoch: number; readonly n: number } | null = null;
  private trust: Buffer | null = null;
  private beat: Buffer | null = null;
  private beatSentAt = Number.NEGATIVE_INFINITY;
  private gathered: Buffer[] = [];
  private gatheredBytes = 0;
  private nextFlushAt = 0;
  private timer: NodeJS.Timeout | null = null;
  private readonly queue: Send[] = [];
  private isSending = false;
  private sends = 0;

  constructor(private readonly options: BroadcastOptions) {
    this.limits = { ...CLIENT_LIMITS, ...options.client };
    this.tickMs = options.tickMs ?? 4;
    this.beatEveryMs = options.beatEveryMs ?? 60_000;
    this.sliceSize = options.sliceSize ?? 500;
  }

  get clientCount(): number {
    return this.clients.size;
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
    const encoded = this.clients.size > 0 ? this.state() : null;
    if (encoded !== null) this.gather(encoded.frame, true);
  }

  onCommit(commit: Commit): void {
    const { h } = commit.head;
    this.head = h;
    this.encoded = null;
    const frame = commitFrame(commit);
    this.ring.push(h, frame);
    this.gather(
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
    this.gather(this.beat, false);
  }

  onTrust(trust: TrustBundle): void {
    this.trust = trustFrame(trust);
    this.encoded = null;
    this.gather(this.trust, true);
  }

  /** A comment to everybody: proof that the connection lives, and the moment when dead ones are found. */
  heartbeat(): void {
    this.gather(HEARTBEAT, true);
  }

  /** Gives the client what it needs to be at the newest revision. Returns what lets it go. */
  join(socket: ClientSocket, lastEventId: string | undefined): () => void {
    this.flush();
    const client = new StreamClient(socket, this.limits, this.sends, () => this.fresh());
    this.clients.add(client);
    const first = this.resumption(lastEventId) ?? this.state()?.frame ?? null;
    if (first !== null) client.send(first, this.options.now());
    return () => this.clients.delete(client);
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    for (const client of this.clients) client.end();
    this.clients.clear();
  }

  /** The state as it is now, encoded once for everybody who asks before it changes; null before the first. */
  state(): EncodedState | null {
    if (this.encoded !== null) return this.encoded;
    const state = this.readState();
    this.encoded = state === null ? null : encodeState(state);
    return this.encoded;
  }

  private fresh(): Fresh {
    this.flush();
    return { state: this.state()?.frame ?? null, joinedAt: this.sends };
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

  private gather(frame: Buffer, isUrgent: boolean): void {
    this.gathered.push(frame);
    this.gatheredBytes += frame.length;
    // A burst must not become one write that no limit per client could see.
    const isBurst = this.gatheredBytes * 4 > this.limits.maxBufferedBytes;
    const waitMs = isUrgent || isBurst ? 0 : this.nextFlushAt - this.options.now();
    // After a quiet moment the first goes out at once; only what follows closely is gathered.
    if (waitMs <= 0) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), Math.min(waitMs, this.tickMs));
  }

  private flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (this.gathered.length === 0) return;
    const bytes = this.gathered.length === 1 ? this.gathered[0]! : Buffer.concat(this.gathered);
    this.gathered = [];
    this.gatheredBytes = 0;
    this.nextFlushAt = this.options.now() + this.tickMs;
    this.queue.push({ number: this.sends, bytes });
    this.sends += 1;
    if (!this.isSending) this.next();
  }

  /** One write after the other, in slices, so that ten thousand sockets do not hold up everything else. */
  private next(): void {
    const send = this.queue.shift();
    this.isSending = send !== undefined;
    if (send !== undefined) this.slice(send, this.clients.values());
  }

  private slice(send: Send, clients: IterableIterator<StreamClient>): void {
    const now = this.options.now();
    for (let i = 0; i < this.sliceSize; i += 1) {
      const { value: client, done } = clients.next();
      if (done) {
        this.next();
        return;
      }
      if (client.isGone) this.clients.delete(client);
      else if (client.needs(send.number)) client.send(send.bytes, now);
    }
    setImmediate(() => this.slice(send, clients));
  }
}
