import type { Change, FlagDocument } from '@headgate/contracts';
import type { VerifiedState } from '@headgate/trust';
import { ChangeGatherer, type FlagsChange } from './change-gatherer.js';
import { type CompiledFlag, FlagEntry } from './compiled-flag.js';
import { type FlagsVersion, formatVersion } from './flags-version.js';
import { RecentChanges } from './recent-changes.js';
import { lastMoment, nextMoment, type TimeMoments } from './time-moments.js';
import { VersionWaiters } from './version-waiters.js';

/** The flags of one channel as this gateway would serve them now: verified, kept kills over them. */
export interface ChannelFlags {
  /** `<epoch>.<n>` of the head served, and of the newest one after a `+` when only its kills are taken; null before the first state. */
  readonly revision: string | null;
  find(key: string): CompiledFlag | undefined;
  /** By key. */
  all(): IterableIterator<CompiledFlag>;
  /**
   * The whole channel as a flagd document (map form), encoded once per change. What stock providers could not take is left
   * out: one such flag would cost them all the others.
   */
  flagdJson(): Buffer;
  /** The first change after a quiet moment is told at once, what follows closely is told together, a flag that went off at once. */
  onChange(listener: (change: FlagsChange) => void): () => void;
  /** Keys of flags that changed or ended in the last minutes, for who was not listening then. */
  recentlyChanged(): readonly string[];
  /** Until when this gateway knows that nothing was published that it has not; milliseconds. */
  readonly asOf: number;
  /** When an answer last changed here; milliseconds. */
  readonly changedAt: number;
  /** Whether these flags hold what flags at `version` held, at the latest after `waitMs`. */
  reaches(version: FlagsVersion, waitMs: number): Promise<boolean>;
  /** Unix seconds at which an answer can have changed, or can change next, although nothing is published; null for never. */
  moments(): { readonly last: number | null; readonly next: number | null };
}

export interface ChannelFlagsOptions {
  readonly project: string;
  readonly channel: string;
  /** Of `$flagd.timestamp`. */
  readonly now: () => number;
  /** A flag that flagd clients cannot be given; told once for each such document. */
  readonly onLeftOut: (key: string, problem: string) => void;
  readonly tickMs?: number;
}

/** Fed with what a channel's reader says is served differently; compiles only what changed, and that when it is asked for. */
export class ChannelFlagSet implements ChannelFlags {
  revision: string | null = null;
  asOf = 0;
  changedAt = 0;
  private version: FlagsVersion | null = null;
  private readonly waiters = new VersionWaiters(() => this.version);
  private readonly entries = new Map<string, FlagEntry>();
  private readonly keys = new Map<string, string>();
  private readonly gatherer: ChangeGatherer;
  private readonly recent: RecentChanges;
  private readonly told = new WeakSet<FlagEntry>();
  private sorted: readonly FlagEntry[] | null = null;
  private encoded: Buffer | null = null;
  private timed: readonly TimeMoments[] | null = null;

  constructor(private readonly options: ChannelFlagsOptions) {
    this.recent = new RecentChanges(options.now);
    this.gatherer = new ChangeGatherer(options.now, () => this.revision ?? '', options.tickMs);
  }

  find(key: string): CompiledFlag | undefined {
    return this.entries.get(key);
  }

  all(): IterableIterator<CompiledFlag> {
    return this.inOrder().values();
  }

  flagdJson(): Buffer {
    this.encoded ??= this.encode();
    return this.encoded;
  }

  onChange(listener: (change: FlagsChange) => void): () => void {
    return this.gatherer.add(listener);
  }

  recentlyChanged(): readonly string[] {
    return this.recent.keys();
  }

  reaches(version: FlagsVersion, waitMs: number): Promise<boolean> {
    return this.waiters.wait(version, waitMs);
  }

  moments(): { readonly last: number | null; readonly next: number | null } {
    this.timed ??= [...this.entries.values()].map(({ moments }) => moments).filter(isTimed);
    const second = Math.floor(this.options.now() / 1_000);
    const last = this.timed.map((moments) => lastMoment(moments, second)).filter((at) => at !== null);
    const next = this.timed.map((moments) => nextMoment(moments, second)).filter((at) => at !== null);
    return {
      last: last.length === 0 ? null : last.reduce((a, b) => Math.max(a, b)),
      next: next.length === 0 ? null : next.reduce((a, b) => Math.min(a, b)),
    };
  }

  /** `changed`: what is served differently since the last call. Ends come first, so that a key that moved to another flag is not lost. */
  apply(
    changed: readonly Change[],
    state: VerifiedState,
    tip: { readonly epoch: number; readonly n: number },
  ): void {
    // Of what was there from the beginning nobody can have kept an older answer.
    const isFirst = this.version === null;
    this.setVersion({ served: state.head.h, tip });
    // A beat says that its head was the newest when it was issued; news of a channel are as new as their arrival.
    const isOfTip = state.beat?.epoch === tip.epoch && state.beat.n === tip.n;
    const heardAt = changed.length > 0 ? this.options.now() : 0;
    this.asOf = Math.max(this.asOf, heardAt, isOfTip ? (state.beat?.issuedAt ?? 0) : 0);
    const keys = new Set<string>();
    let isUrgent = false;
    for (const { flagId, doc } of changed) {
      const key = doc === null ? this.keys.get(flagId) : undefined;
      if (key === undefined) continue;
      this.remove(flagId, key);
      keys.add(key);
    }
    for (const { flagId, doc } of changed) {
      if (doc === null) continue;
      isUrgent ||= doc.state === 'DISABLED' && this.entries.get(doc.key)?.document.state !== 'DISABLED';
      const before = this.keys.get(flagId);
      if (before !== undefined && before !== doc.key) keys.add(before);
      this.put(flagId, doc, state.digests.get(flagId) ?? '');
      keys.add(doc.key);
    }
    if (keys.size === 0) return;
    this.sorted = null;
    this.encoded = null;
    this.timed = null;
    this.changedAt = this.options.now();
    if (!isFirst) this.recent.note(keys);
    this.gatherer.changed(keys, isUrgent);
  }

  /** The whole state anew: what is as it was keeps what was compiled. */
  sync(state: VerifiedState, tip: { readonly epoch: number; readonly n: number }): void {
    const changed: Change[] = [];
    for (const flagId of this.keys.keys())
      if (!state.documents.has(flagId)) changed.push({ flagId, doc: null });
    for (const [flagId, doc] of state.documents) {
      const held = this.entries.get(this.keys.get(flagId) ?? '');
      const isHeld =
        held !== undefined &&
        held.document.flagId === flagId &&
        held.digest === (state.digests.get(flagId) ?? '') &&
        held.document.killed?.at === doc.killed?.at;
      if (!isHeld) changed.push({ flagId, doc });
    }
    this.apply(changed, state, tip);
  }

  close(): void {
    this.waiters.close();
    this.gatherer.close();
  }

  private setVersion({ served, tip }: FlagsVersion): void {
    const revision = formatVersion({ served, tip });
    if (revision === this.revision) return;
    this.version = { served: placeOf(served), tip: placeOf(tip) };
    this.revision = revision;
    this.waiters.moved();
  }

  private put(flagId: string, document: FlagDocument, digest: string): void {
    const before = this.keys.get(flagId);
    if (before !== undefined && before !== document.key) this.remove(flagId, before);
    this.entries.set(document.key, new FlagEntry(document, digest, this.options.now));
    this.keys.set(flagId, document.key);
  }

  private remove(flagId: string, key: string): void {
    this.keys.delete(flagId);
    if (this.entries.get(key)?.document.flagId === flagId) this.entries.delete(key);
  }

  private inOrder(): readonly FlagEntry[] {
    this.sorted ??= [...this.entries.values()].sort((a, b) => (a.document.key < b.document.key ? -1 : 1));
    return this.sorted;
  }

  private encode(): Buffer {
    const { project, channel } = this.options;
    // No version: providers merge the set's metadata into every flag, and each commit would be a change of all of them.
    const metadata = { flagSetId: `${project}/${channel}` };
    const parts: string[] = [];
    for (const entry of this.inOrder()) {
      const part = entry.flagd;
      if ('json' in part) parts.push(part.json);
      else this.leaveOut(entry, part.problem);
    }
    return Buffer.from(
      `{"$schema":"https://flagd.dev/schema/v0/flags.json","metadata":${JSON.stringify(metadata)},"flags":{${parts.join(',')}}}`,
    );
  }

  private leaveOut(entry: FlagEntry, problem: string): void {
    if (this.told.has(entry)) return;
    this.told.add(entry);
    this.options.onLeftOut(entry.document.key, problem);
  }
}

/** The reader's heads carry more, and live as long as what holds on to them. */
const placeOf = ({ epoch, n }: FlagsVersion['tip']): FlagsVersion['tip'] => ({ epoch, n });

const isTimed = ({ thresholds, ramps }: TimeMoments): boolean => thresholds.length + ramps.length > 0;
