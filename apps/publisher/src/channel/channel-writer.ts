import {
  beatSubject,
  CHANNEL_LIMITS,
  channelFilter,
  commitSubject,
  STREAMS,
  snapshotSubject,
  trustSubject,
} from '@headgate/contracts';
import { WrongLastSequence } from '@headgate/streams';
import { type ChannelAuthor, headDigest, signBeat } from '@headgate/trust';
import { type JoinOptions, joinChannel, LogBehindFlags } from './join-channel.js';
import { Nap } from './nap.js';
import { sortOut, type Withheld } from './sort-out.js';

/** After somebody else wrote first: how long to leave the next change to them. */
const STANDBY_MS = 250;
const RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** Tries, from 100 ms on and doubled, until a log behind FLAGS is no longer taken for another publisher's head start. */
const BEHIND_TRIES = 6;
/** A trust bundle in the stream that ends so much before ours is replaced. */
const TRUST_LAG_MS = 86_400_000;

export interface ChannelWriterOptions extends JoinOptions {
  /** At most this long between beats; a short lifetime makes it less. */
  readonly beatEveryMs: number;
  /** Milliseconds that only ever grow, to wait by; `now` may be set. */
  readonly elapsed?: () => number;
  readonly onNote?: (note: WriterNote) => void;
}

export type WriterNote =
  | {
      readonly kind: 'published';
      readonly what: 'commit' | 'snapshot' | 'beat' | 'trust';
      readonly n: number;
      /** Since the change was known here; commits only. */
      readonly tookMs?: number;
    }
  | { readonly kind: 'conflict' }
  | ({ readonly kind: 'withheld' } & Withheld)
  | { readonly kind: 'fault'; readonly cause: unknown };

interface Step {
  readonly what: 'snapshot' | 'trust';
  readonly subject: string;
  /** Called when its turn has come. */
  readonly pack: () => Uint8Array;
}

/** The channel since it was joined. */
interface Tenure {
  readonly author: ChannelAuthor;
  sequence: number;
  snapshot: { readonly slot: 0 | 1; readonly n: number };
  trustExpiresAt: number;
  beatIssuedAt: number;
  /** These two by `elapsed`. */
  beatDueAt: number;
  nextCommitAt: number;
  /** Unhurried publishes still to be made, in order. */
  readonly steps: Step[];
}

/**
 * Writes one channel of FLAGS: reads it, finds what the log says and the channel does not, publishes that, and goes on with every
 * change. Each publish expects the last sequence of the channel's subjects, so that two writers cannot mix: who is overtaken
 * drops what it thinks, reads again and leaves the next changes to the other for a moment.
 */
export class ChannelWriter {
  readonly #nap = new Nap();
  readonly #dirty = new Set<string>();
  #dirtySince = 0;
  #isUrgent = false;
  #isStandby = false;
  #isClosed = false;
  #tenure: Tenure | null = null;
  #fault: unknown = null;
  #withheld = new Map<string, Withheld>();
  #done: Promise<void> = Promise.resolve();

  readonly #elapsed: () => number;

  constructor(private readonly options: ChannelWriterOptions) {
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  /** What keeps the channel from following the log; null when nothing does. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Everything that the log had when the channel was joined, and since, is published. */
  get isSettled(): boolean {
    return this.#tenure !== null && this.#dirty.size === 0 && this.#tenure.steps.length === 0;
  }

  /** Flags that the channel says something else of than the log, because what the log says cannot be published. */
  get withheld(): readonly Withheld[] {
    return [...this.#withheld.values()];
  }

  start(): void {
    this.#done = this.#run();
  }

  /** A flag's document may have changed. Urgent: a kill, which waits for nothing. */
  touch(flagId: string, isUrgent: boolean): void {
    if (this.#dirty.size === 0) this.#dirtySince = this.#elapsed();
    this.#dirty.add(flagId);
    this.#isUrgent ||= isUrgent;
    this.#nap.wake();
  }

  /** Resolves when the publish under way is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#nap.end();
    await this.#done;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isClosed; ) {
      try {
        this.#tenure ??= await this.#join();
        this.#fault = null;
        failures = 0;
        await this.#work(this.#tenure);
      } catch (cause) {
        this.#tenure = null;
        if (cause instanceof WrongLastSequence) {
          this.#isStandby = true;
          this.options.onNote?.({ kind: 'conflict' });
          continue;
        }
        failures += 1;
        if (!(cause instanceof LogBehindFlags) || failures >= BEHIND_TRIES) {
          this.#fault = cause;
          this.options.onNote?.({ kind: 'fault', cause });
        }
        await this.#nap.sleep(Math.min(RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS));
      }
    }
  }

  async #join(): Promise<Tenure> {
    const { keeper, now } = this.options;
    const joined = await joinChannel(this.options);
    const { author, beatIssuedAt, storedTrust, isBegun } = joined;
    const tenure: Tenure = {
      author,
      sequence: joined.sequence,
      snapshot: joined.snapshot,
      trustExpiresAt: typeof storedTrust === 'object' ? storedTrust.expiresAt : keeper.expiresAt,
      beatIssuedAt,
      beatDueAt: this.#elapsed() + (isBegun ? 0 : this.#beatEveryMs - Math.max(0, now() - beatIssuedAt)),
      nextCommitAt: 0,
      steps: [],
    };
    // A new channel's reader needs the key first; readers of an older epoch must find the new state ready when they learn its key.
    if (storedTrust === 'none') this.#addTrust(tenure);
    if (isBegun || tenure.snapshot.n < (author.head?.h.n ?? 0)) this.#addSnapshot(tenure);
    if (storedTrust === 'other-delegation') this.#addTrust(tenure);
    this.#dirty.clear();
    this.#dirtySince = this.#elapsed();
    for (const flagId of joined.differing) this.#dirty.add(flagId);
    const known = this.#withheld;
    this.#withheld = new Map();
    this.#withhold(joined.withheld, known);
    return tenure;
  }

  /** Does the next thing that is due, or naps until something is. */
  async #work(tenure: Tenure): Promise<void> {
    const elapsed = this.#elapsed();
    const beatInMs = tenure.beatDueAt - elapsed;
    const commitInMs = this.#isUrgent ? 0 : tenure.nextCommitAt - elapsed;
    const hasChanges = this.#dirty.size > 0;
    const isDue = (hasChanges && commitInMs <= 0) || tenure.steps.length > 0 || beatInMs <= 0;
    if (isDue && this.#isStandby) return this.#standBy();
    if (hasChanges && commitInMs <= 0) return this.#commit(tenure);
    const step = tenure.steps.shift();
    if (step !== undefined) return this.#publish(tenure, step.subject, step.pack(), step.what);
    if (beatInMs <= 0) return this.#beat(tenure);
    await this.#nap.nap(hasChanges ? Math.min(commitInMs, beatInMs) : beatInMs);
  }

  /** Gives the other writer time to do it and looks whether it did; if not, it is gone, and we take over. */
  async #standBy(): Promise<void> {
    await this.#nap.sleep(STANDBY_MS);
    const tenure = await this.#join();
    this.#tenure = tenure;
    const isBeating = this.options.now() - tenure.beatIssuedAt < 2 * this.#beatEveryMs;
    this.#isStandby = this.#dirty.size === 0 && isBeating;
    if (!this.#isStandby) return;
    tenure.steps.length = 0;
    tenure.beatDueAt = this.#elapsed() + this.#beatEveryMs;
  }

  async #commit(tenure: Tenure): Promise<void> {
    const { fold, channel } = this.options;
    const since = this.#dirtySince;
    const flagIds = [...this.#dirty];
    this.#dirty.clear();
    this.#isUrgent = false;
    // The fold holds everything up to its head, and every flag of this channel that it changed is among `flagIds`.
    const position = fold.head?.position ?? 0;
    const { changes, withheld } = sortOut(fold, channel, flagIds, tenure.author.documents);
    const known = new Map(this.#withheld);
    for (const flagId of flagIds) this.#withheld.delete(flagId);
    this.#withhold(withheld, known);
    for (const commit of tenure.author.commit(changes, position)) {
      const { n } = commit.head.h;
      const data = Buffer.from(JSON.stringify(commit));
      await this.#publish(tenure, commitSubject(fold.project, channel, n), data, 'commit', since);
      tenure.nextCommitAt = this.#elapsed() + CHANNEL_LIMITS.commitWindowMs;
      if (n - tenure.snapshot.n >= CHANNEL_LIMITS.snapshotEveryCommits && tenure.steps.length === 0)
        this.#addSnapshot(tenure);
    }
  }

  /** Tells of each once, however often the channel is joined. */
  #withhold(withheld: readonly Withheld[], known: ReadonlyMap<string, Withheld>): void {
    for (const one of withheld) {
      this.#withheld.set(one.flagId, one);
      const before = known.get(one.flagId);
      if (before?.cause !== one.cause || before.isKilled !== one.isKilled)
        this.options.onNote?.({ kind: 'withheld', ...one });
    }
  }

  async #beat(tenure: Tenure): Promise<void> {
    const { fold, channel, keeper, now } = this.options;
    const h = tenure.author.head?.h;
    const lifetimeMs = fold.beatLifetimeMs(channel);
    if (h === undefined || lifetimeMs === undefined) throw new Error(`${channel} has no head or no lifetime`);
    keeper.renew();
    if (keeper.expiresAt > tenure.trustExpiresAt + TRUST_LAG_MS) this.#addTrust(tenure);
    // Readers take no beat that is older than the last: a clock set back must not silence us.
    const issuedAt = Math.max(now(), tenure.beatIssuedAt + 1);
    const { project, epoch, n } = h;
    const draft = { project, channel, epoch, n, headDigest: headDigest(h), issuedAt };
    const beat = signBeat(
      { ...draft, expiresAt: issuedAt + lifetimeMs },
      keeper.channelKey(project, channel),
    );
    await this.#publish(tenure, beatSubject(project, channel), Buffer.from(JSON.stringify(beat)), 'beat');
    tenure.beatIssuedAt = issuedAt;
    tenure.beatDueAt = this.#elapsed() + this.#beatEveryMs;
  }

  get #beatEveryMs(): number {
    const { fold, channel, beatEveryMs } = this.options;
    return Math.min(beatEveryMs, (fold.beatLifetimeMs(channel) ?? Number.POSITIVE_INFINITY) / 4);
  }

  #addTrust(tenure: Tenure): void {
    const { fold, channel, keeper } = this.options;
    const subject = trustSubject(fold.project, channel);
    const { bundle } = keeper;
    tenure.steps.push({ what: 'trust', subject, pack: () => Buffer.from(JSON.stringify(bundle)) });
    tenure.trustExpiresAt = keeper.expiresAt;
  }

  /** Into the slot that does not hold the newest complete one. */
  #addSnapshot(tenure: Tenure): void {
    const { fold, channel } = this.options;
    const slot = tenure.snapshot.slot === 0 ? 1 : 0;
    for (const [i, pack] of tenure.author.snapshotParts().entries())
      tenure.steps.push({ what: 'snapshot', subject: snapshotSubject(fold.project, channel, slot, i), pack });
    tenure.snapshot = { slot, n: tenure.author.head?.h.n ?? 0 };
  }

  async #publish(
    tenure: Tenure,
    subject: string,
    data: Uint8Array,
    what: 'commit' | 'snapshot' | 'beat' | 'trust',
    since?: number,
  ): Promise<void> {
    const { streams, fold, channel, keeper, onNote } = this.options;
    // An empty stream gets the trust first, so the mark is there before any reader can have a state to remember.
    if (tenure.sequence > 0) keeper.notePublished(fold.project, channel);
    const { sequence } = await streams.publish(subject, data, {
      expectStream: STREAMS.flags,
      expectLastSequence: tenure.sequence,
      expectFilter: channelFilter(fold.project, channel),
    });
    tenure.sequence = sequence;
    const tookMs = since === undefined ? {} : { tookMs: this.#elapsed() - since };
    onNote?.({ kind: 'published', what, n: tenure.author.head?.h.n ?? 0, ...tookMs });
  }
}
