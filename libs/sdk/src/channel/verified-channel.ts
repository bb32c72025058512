import { type FlagDocument, GATEWAY_EVENTS } from '@headgate/contracts';
import { type Acceptance, type ChannelReader, type Freshness, openChannelReader } from '@headgate/trust';
import { CopyKeeper } from '../copy/copy-keeper.js';
import { LocalCopy } from '../copy/local-copy.js';
import type { FlagBook } from '../flags/flag-book.js';
import type { FlagMetadata, FlagsChanged, HeadgateStatus } from '../headgate.js';
import type { Settings } from '../options/options.js';
import { describe } from '../options/read-options.js';
import type { Reception } from '../stream/channel-follower.js';
import { offerEvent, receptionOf } from '../stream/offer-event.js';
import type { ServerSentEvent } from '../stream/sse-parser.js';

export interface VerifiedChannelOptions {
  readonly settings: Settings;
  readonly bootId: string;
  readonly now: () => number;
  readonly random: () => number;
  readonly book: FlagBook;
  /** After new flags are in force. */
  readonly onChanged: (change: FlagsChanged) => void;
  /** The first state of the gateway was verified. */
  readonly onLive: () => void;
  readonly complain: (code: string, message: string) => void;
}

export interface Provenance {
  /** What OpenFeature calls flag metadata, the flag set's included. */
  readonly metadata: FlagMetadata;
  readonly position?: number;
  readonly flagDigest?: string;
}

type Source = FlagsChanged['source'];

const NOTHING_YET: Provenance = { metadata: Object.freeze({}) };

/** What this process holds of its channel: verified, kept on disk, and put into the book that evaluates. */
export class VerifiedChannel {
  private readonly reader: ChannelReader;
  private readonly keeper: CopyKeeper | null = null;
  private source: HeadgateStatus['flags'] = 'none';
  private provenances = new WeakMap<FlagDocument, Provenance>();
  private absence: Provenance = NOTHING_YET;

  constructor(private readonly options: VerifiedChannelOptions) {
    const { settings, bootId, now, random, complain } = options;
    const { project, channel, root, dataDir } = settings;
    const copy = dataDir === null ? null : new LocalCopy(dataDir, `${project}.${channel}`, bootId, now);
    const stored = copy?.load();
    this.reader = openChannelReader({ project, channel, pin: root, now, seen: stored?.seen ?? null });
    for (const problem of stored?.problems ?? []) complain('copy-damaged', problem);
    if (copy === null) return;
    this.takeCopy(copy, stored?.state);
    this.keeper = new CopyKeeper(
      copy,
      () => this.copyContent(),
      now,
      random,
      (message) => complain('copy-unwritten', message),
    );
  }

  get flags(): HeadgateStatus['flags'] {
    return this.source;
  }

  get head(): HeadgateStatus['head'] {
    const head = this.reader.state?.head.h;
    if (head === undefined) return null;
    const { epoch, n, position, documentCount, setDigest } = head;
    return { epoch, n, position, documentCount, setDigest };
  }

  get freshness(): Freshness {
    return this.reader.freshness();
  }

  /** When the newest verified beat ends; null without one. */
  get expiresAt(): number | null {
    return this.reader.beat?.expiresAt ?? null;
  }

  /** `<epoch>.<n>` of the newest verified state; null asks for the whole state. */
  get lastEventId(): string | null {
    const head = this.reader.tip?.h;
    return head === undefined ? null : `${head.epoch}.${head.n}`;
  }

  /** Where a flag's document, or its absence, comes from. The same object until the channel moves on. */
  provenanceOf(document: FlagDocument | undefined): Provenance {
    if (document === undefined) return this.absence;
    let found = this.provenances.get(document);
    if (found === undefined) {
      found = this.provenance(document);
      this.provenances.set(document, found);
    }
    return found;
  }

  receive(event: ServerSentEvent): Reception {
    const acceptance = offerEvent(this.reader, event);
    if (acceptance === null) return { ok: true };
    if (acceptance.ok) {
      this.takeChanges(acceptance, 'gateway');
      if (event.event !== GATEWAY_EVENTS.trust) this.becomeLive();
      this.keeper?.changed();
      return { ok: true };
    }
    const message = `${event.event} refused, ${acceptance.code}: ${acceptance.message}`;
    this.options.complain(`refused-${acceptance.code}`, message);
    return receptionOf(acceptance.code, message);
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    await this.keeper?.close();
  }

  private provenance(document: FlagDocument | undefined): Provenance {
    const version = revisionOf(this.reader);
    if (version === null) return NOTHING_YET;
    const { project, channel } = this.options.settings;
    const flagSet = { flagSetId: `${project}/${channel}`, version };
    if (document === undefined) return { metadata: Object.freeze(flagSet) };
    const { position, flagId } = document;
    const flagDigest = this.reader.state?.digests.get(flagId);
    const metadata = Object.freeze({
      ...flagSet,
      ...document.metadata,
      'headgate.position': position,
      ...(flagDigest === undefined ? {} : { 'headgate.digest': flagDigest }),
    });
    return { metadata, position, ...(flagDigest === undefined ? {} : { flagDigest }) };
  }

  private forgetProvenances(): void {
    this.provenances = new WeakMap();
    this.absence = this.provenance(undefined);
  }

  private takeCopy(copy: LocalCopy, stored: unknown): void {
    if (stored === null || stored === undefined) return;
    const { complain } = this.options;
    const acceptance = this.reader.acceptState(stored);
    if (acceptance.ok) {
      this.source = 'copy';
      this.takeChanges(acceptance, 'copy');
      return;
    }
    complain('copy-discarded', `the local copy is not taken, ${acceptance.code}: ${acceptance.message}`);
    try {
      copy.discardState();
    } catch (error) {
      complain('copy-undeletable', describe(error));
    }
  }

  private takeChanges({ changed }: Extract<Acceptance, { ok: true }>, source: Source): void {
    const { book, onChanged } = this.options;
    book.hasFlags = true;
    this.forgetProvenances();
    if (changed.length === 0) return;
    const flags = book.apply(changed);
    const head = this.reader.state?.head.h;
    if (head === undefined) return;
    onChanged({ source, epoch: head.epoch, n: head.n, position: head.position, flags });
  }

  private becomeLive(): void {
    if (this.source === 'live') return;
    this.source = 'live';
    this.options.onLive();
  }

  private copyContent(): ReturnType<ConstructorParameters<typeof CopyKeeper>[1]> {
    const state = this.reader.localState();
    const { seen } = this.reader;
    return state === null || seen === null ? null : { state, seen };
  }
}

/** `<epoch>.<n>` of what is served; under an expired beat followed by `+<epoch>.<n>` of what only its kills are taken from. */
const revisionOf = ({ state, tip }: ChannelReader): string | null => {
  if (state === null || tip === null) return null;
  const { epoch, n } = state.head.h;
  const isTip = epoch === tip.h.epoch && n === tip.h.n;
  return isTip ? `${epoch}.${n}` : `${epoch}.${n}+${tip.h.epoch}.${tip.h.n}`;
};
