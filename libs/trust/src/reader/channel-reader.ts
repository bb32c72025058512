import {
  type Beat,
  beat as beatSchema,
  CHANNEL_LIMITS,
  type Change,
  type ChannelState,
  commit as commitSchema,
  type FlagDocument,
  type SignedHead,
  channelState as stateSchema,
  type TrustBundle,
  trustBundle as trustSchema,
} from '@headgate/contracts';
import { headDigest, NO_HEAD } from '../channel/digests.js';
import { DocumentSet } from '../channel/document-set.js';
import type { ChannelDelegation } from '../metadata/channel-delegation.js';
import { type Acceptance, attempt, difference } from './acceptance.js';
import { ChannelTrust, type TrustedVersions } from './channel-trust.js';
import { type KeptKill, KillMask } from './kill-mask.js';
import { type Offered, parseOffered } from './parse-offered.js';
import { ReaderClock } from './reader-clock.js';
import { Refusal } from './refusal.js';
import { applyCommit, verifiedSet } from './verify-documents.js';

const MAX_TRUST_BYTES = 1_048_576;
const MAX_BEAT_BYTES = 4_096;
const MAX_STATE_BYTES = 67_108_864;
/** Proofs of equivocation kept; one is enough to act on. */
const MAX_EVIDENCE = 16;

export interface ChannelReaderOptions {
  readonly project: string;
  readonly channel: string;
  /** Digest of root 1, from out of band: `sha256:<hex>`. */
  readonly pin: string;
  /** The machine's clock, in milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** What this reader's `seen` said before its last restart. */
  readonly seen?: Seen | null;
}

/** What must not be forgotten across a restart. JSON; only `epoch` and `n` are needed, the rest tightens the check. */
export interface Seen extends TrustedVersions {
  readonly epoch: number;
  readonly n: number;
  readonly headDigest?: string;
  readonly issuedAt?: number;
  readonly kills?: readonly KeptKill[];
}

/** What may be served: verified documents with kept kills over them. Maps are live: they change with the next acceptance. */
export interface VerifiedState {
  /** Head of the served documents; the newest verified one is in `signedState()`. */
  readonly head: SignedHead;
  readonly documents: ReadonlyMap<string, FlagDocument>;
  /** Digest of each document as it was signed. */
  readonly digests: ReadonlyMap<string, string>;
  readonly beat: Beat | null;
  readonly trust: TrustBundle;
}

export interface Freshness {
  /** `never`: no beat was verified yet. `stale`: the newest beat, or the trust behind it, is past its expiry. */
  readonly status: 'fresh' | 'stale' | 'never';
  /** Since the newest beat was issued; null for `never`. */
  readonly ageMs: number | null;
  /** How far the machine's clock is behind the issuer's; 0 when it is not. */
  readonly skewMs: number;
}

/** Two things signed for one (epoch, n): proof against the signer, whoever carried them. */
export interface Equivocation {
  readonly held: SignedHead;
  /** Another head or beat of the same (epoch, n), or the head after it with another `prevHead`. */
  readonly offered: SignedHead | Beat;
}

interface Holding {
  readonly head: SignedHead;
  readonly digest: string;
  readonly set: DocumentSet;
}

export const openChannelReader = (options: ChannelReaderOptions): ChannelReader => new ChannelReader(options);

/**
 * The one verifier of a channel, for gateways, SDKs, mirrors and the publisher itself. Never throws for what it is offered,
 * never goes back, and costs one signature and one SHA-256 pass per commit. Not for two callers at once.
 */
export class ChannelReader {
  readonly #clock: ReaderClock;
  readonly #trust: ChannelTrust;
  readonly #kills: KillMask;
  readonly #evidence: Equivocation[] = [];
  /** The newest verified state. */
  #tip: Holding | null = null;
  /** What is served: the tip, or an older state that an expired beat keeps in force. */
  #base: Holding | null = null;
  #served: ReadonlyMap<string, FlagDocument> = new Map();
  #beat: Beat | null = null;
  /** A verified beat for a head that is still to come. */
  #earlyBeat: Beat | null = null;

  constructor(private readonly options: ChannelReaderOptions) {
    this.#clock = new ReaderClock(options.now, options.seen?.issuedAt);
    this.#trust = new ChannelTrust(options, options.seen ?? {});
    this.#kills = new KillMask(options.seen?.kills);
  }

  get state(): VerifiedState | null {
    const trust = this.#trust.verified?.bundle;
    if (this.#base === null || trust === undefined) return null;
    const { head, set } = this.#base;
    return { head, documents: this.#served, digests: set.digests, beat: this.#beat, trust };
  }

  /** Head of the newest verified state, which is what a next commit must follow. */
  get tip(): SignedHead | null {
    return this.#tip?.head ?? null;
  }

  get beat(): Beat | null {
    return this.#beat;
  }

  get trust(): TrustBundle | null {
    return this.#trust.verified?.bundle ?? null;
  }

  /** The newest verified state as signed, for readers behind this one; they apply the rule of expired beats themselves. */
  signedState(): ChannelState | null {
    return this.#export(this.#tip);
  }

  /** What this reader itself should keep on disk, together with `seen`. */
  localState(): ChannelState | null {
    return this.#export(this.#base);
  }

  get seen(): Seen | null {
    const trust = this.#trust.verified;
    if (this.#base === null || trust === null) return this.options.seen ?? null;
    const { epoch, n } = this.#base.head.h;
    return {
      epoch,
      n,
      headDigest: this.#base.digest,
      issuedAt: this.#clock.newestIssuedAt,
      rootVersion: trust.rootDigests.length,
      targetsVersion: trust.targetsVersion,
      kills: this.#kills.kills,
    };
  }

  get equivocations(): readonly Equivocation[] {
    return this.#evidence;
  }

  /** Who may sign this channel; null until a trust bundle that names it was verified. */
  get delegation(): ChannelDelegation | null {
    return this.#trust.delegation;
  }

  freshness(): Freshness {
    const skewMs = this.#clock.skewMs;
    if (this.#beat === null) return { status: 'never', ageMs: null, skewMs };
    const now = this.#clock.now();
    const expiresAt = Math.min(this.#beat.expiresAt, this.#trust.verified?.expiresAt ?? 0);
    const ageMs = Math.max(0, now - this.#beat.issuedAt);
    return { status: now > expiresAt ? 'stale' : 'fresh', ageMs, skewMs };
  }

  acceptTrust(offered: Offered): Acceptance {
    return attempt(() => {
      this.#takeTrust(parseOffered(trustSchema, offered, MAX_TRUST_BYTES));
      return this.#settle([]);
    });
  }

  /** A state at or after the newest verified one; a beat and a trust bundle in it that are merely older are passed over. */
  acceptState(offered: Offered): Acceptance {
    return attempt(() => {
      const { trust, head, documents, beat } = parseOffered(stateSchema, offered, MAX_STATE_BYTES);
      unlessLate(() => this.#takeTrust(trust));
      this.#trust.checkHead(head);
      const held = this.#tip;
      const digest = headDigest(head.h);
      if (held?.digest !== digest) {
        this.#checkMovesOn(head, digest);
        this.#tip = { head, digest, set: verifiedSet(head.h, documents) };
      }
      try {
        if (beat !== undefined) unlessLate(() => this.#takeBeat(beat));
      } catch (refusal) {
        this.#tip = held;
        throw refusal;
      }
      return this.#settle(held === this.#tip ? [] : documents);
    });
  }

  acceptCommit(offered: Offered): Acceptance {
    return attempt(() => {
      const commit = parseOffered(commitSchema, offered, CHANNEL_LIMITS.maxCommitBytes);
      this.#trust.checkHead(commit.head);
      const digest = headDigest(commit.head.h);
      if (this.#tip?.digest === digest) return [];
      this.#checkMovesOn(commit.head, digest);
      const before = this.#before(commit.head);
      const mayAdvance = this.freshness().status !== 'stale';
      const set = before === this.#base?.set && !mayAdvance ? before.clone() : before;
      const isPlain = mayAdvance && this.#tip === this.#base && this.#kills.isEmpty;
      applyCommit(set, commit);
      this.#tip = { head: commit.head, digest, set };
      if (!isPlain) return this.#settle(commit.changes.flatMap(({ doc }) => doc ?? []));
      this.#takeEarlyBeat();
      this.#base = this.#tip;
      this.#served = set.documents;
      return commit.changes;
    });
  }

  /** `gap` when the beat speaks of a head that is still to come; it is kept until then. */
  acceptBeat(offered: Offered): Acceptance {
    return attempt(() => {
      this.#takeBeat(parseOffered(beatSchema, offered, MAX_BEAT_BYTES));
      return this.#settle([]);
    });
  }

  #takeTrust(bundle: TrustBundle): void {
    if (!this.#trust.take(bundle)) return;
    this.#clock.forget();
    this.#earlyBeat = null;
  }

  /** A head other than the tip: refuses what is older, or as old and different. */
  #checkMovesOn(head: SignedHead, digest: string): void {
    const { epoch, n, position } = head.h;
    const tip =
      this.#tip === null ? this.options.seen : { ...this.#tip.head.h, headDigest: this.#tip.digest };
    if (tip === null || tip === undefined || epoch > tip.epoch) return;
    if (epoch < tip.epoch || n < tip.n)
      throw new Refusal('rolled-back', `head ${epoch}.${n} is older than ${tip.epoch}.${tip.n}`);
    if (n === tip.n && (tip.headDigest ?? digest) !== digest) this.#accuse(head, n);
    if (this.#tip !== null && position < this.#tip.head.h.position)
      throw new Refusal('rolled-back', `head ${n} covers less of the log than the one before`);
  }

  /** The documents that the commit changes. An epoch's first commit needs none before it. */
  #before(head: SignedHead): DocumentSet {
    const { epoch, n, prevHead } = head.h;
    const tip = this.#tip;
    if (tip !== null && tip.head.h.epoch === epoch && tip.head.h.n === n - 1) {
      if (prevHead !== tip.digest) this.#accuse(head, n - 1);
      return tip.set;
    }
    const isFirst = n - 1 === this.delegation?.commitFloor && prevHead === NO_HEAD;
    if (tip === null && isFirst) return new DocumentSet();
    throw new Refusal('gap', `commit ${n} does not follow ${tip === null ? 'from nothing' : tip.head.h.n}`);
  }

  #accuse(offered: SignedHead | Beat, n: number): never {
    const held = this.#tip?.head;
    if (held !== undefined && this.#evidence.length < MAX_EVIDENCE) this.#evidence.push({ held, offered });
    throw new Refusal('equivocation', `two different heads ${n} are signed by the channel's key`);
  }

  #takeBeat(beat: Beat): void {
    this.#trust.checkBeat(beat);
    if (this.#beat?.epoch === beat.epoch && beat.issuedAt < this.#beat.issuedAt)
      throw new Refusal('rolled-back', 'the beat is older than the newest one');
    this.#clock.observe(beat.issuedAt);
    const tip = this.#tip?.head.h;
    if (tip === undefined || tip.epoch !== beat.epoch || tip.n < beat.n) {
      this.#earlyBeat = beat;
      throw new Refusal('gap', `the beat is of head ${beat.n}, held is ${tip?.n ?? 'none'}`);
    }
    if (tip.n === beat.n && beat.headDigest !== this.#tip?.digest) this.#accuse(beat, beat.n);
    this.#beat = beat;
    this.#earlyBeat = null;
  }

  #takeEarlyBeat(): void {
    const beat = this.#earlyBeat;
    const tip = this.#tip?.head.h;
    if (beat === null || tip === undefined || tip.epoch !== beat.epoch || tip.n < beat.n) return;
    this.#earlyBeat = null;
    // Taken or not, the head that it waited for stands; a contradiction is in the evidence.
    attempt(() => {
      this.#takeBeat(beat);
      return [];
    });
  }

  /** Serves the tip, or under an expired beat only the kills among `news`, the documents that the tip brought. */
  #settle(news: readonly FlagDocument[]): readonly Change[] {
    this.#takeEarlyBeat();
    const tip = this.#tip;
    if (tip === null) return [];
    const before = this.#served;
    const base = this.#base;
    if (base === null || this.freshness().status !== 'stale') {
      if (base !== null && base.head.h.epoch < tip.head.h.epoch)
        this.#kills.keep(base.set.documents.values(), base.head.h);
      this.#base = tip;
      this.#kills.settle(tip.set.documents, tip.head.h);
    } else this.#kills.keep(news, tip.head.h);
    this.#served = this.#kills.over((this.#base ?? tip).set.documents);
    return difference(before, this.#served);
  }

  #export(holding: Holding | null): ChannelState | null {
    const trust = this.#trust.verified?.bundle;
    if (holding === null || trust === undefined) return null;
    const documents = [...holding.set.sorted()];
    const beat = this.#beat === null ? {} : { beat: this.#beat };
    return { schema: 'headgate.state.v1', trust, head: holding.head, documents, ...beat };
  }
}

/** Passes over what is older than what is held, and a beat whose head is still to come. */
function unlessLate(take: () => void): void {
  try {
    take();
  } catch (refusal) {
    if (!(refusal instanceof Refusal) || !['rolled-back', 'gap'].includes(refusal.code)) throw refusal;
  }
}
