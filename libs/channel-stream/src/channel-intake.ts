import { type Change, type ChannelState, channelPrefix, type TrustBundle } from '@headgate/contracts';
import type { StoredMessage } from '@headgate/streams';
import { type Acceptance, ChannelReader, type ChannelReaderOptions } from '@headgate/trust';
import type { ChannelNews, RefusedMessage } from './channel-news.js';
import { compareHeads, type Shelf } from './shelf.js';

export interface ChannelIntakeOptions extends ChannelReaderOptions {
  readonly onChange: (news: ChannelNews) => void;
  readonly onRefused?: (refused: RefusedMessage) => void;
}

/** Turns stored messages into verified news: a shelf of them at once, then one by one. */
export class ChannelIntake {
  readonly reader: ChannelReader;
  readonly #prefix: string;
  /** A commit or beat did not follow, or there is nothing yet to follow: only a whole state helps. */
  #isAdrift = true;

  constructor(private readonly options: ChannelIntakeOptions) {
    this.reader = new ChannelReader(options);
    this.#prefix = channelPrefix(options.project, options.channel);
  }

  /** A state from elsewhere than the stream, such as this reader's own disk. */
  restore(state: ChannelState): void {
    const accepted = this.reader.acceptState(state);
    if (accepted.ok) this.#tellState(accepted.changed);
  }

  /** Everything that was in the stream: first what follows from the state held, then from the newest snapshot. */
  takeAll(shelf: Shelf): void {
    if (shelf.trust !== undefined) this.#takeTrust(shelf.trust);
    if (this.reader.tip !== null) this.#takeCommits(shelf, true);
    const jumped = this.#takeSnapshot(shelf) ?? this.#takeFirstCommit(shelf);
    if (jumped !== null) {
      const followed = this.#takeCommits(shelf, false);
      const beat = shelf.beat === undefined ? [] : changesOf(this.reader.acceptBeat(shelf.beat.data));
      this.#tellState(merged([...jumped, ...followed, ...beat]));
    } else if (shelf.beat !== undefined) this.#takeBeat(shelf.beat);
    this.#isAdrift = this.reader.tip === null || this.reader.tip.h.epoch !== this.reader.delegation?.epoch;
  }

  /** True: look at the whole stream again, this message shows that there may be more to find. */
  take(message: StoredMessage): boolean {
    const kind = message.subject.slice(this.#prefix.length + 1).split('.')[0];
    switch (kind) {
      case 'c':
        return this.#takeCommit(message);
      case 'beat':
        return this.#takeBeat(message);
      case 'trust':
        return this.#takeTrust(message);
      case 's':
        return this.#isAdrift;
      default:
        // A kind of a later release.
        return false;
    }
  }

  #takeTrust(message: StoredMessage): boolean {
    const before = this.reader.trust;
    const accepted = this.reader.acceptTrust(message.data);
    if (!accepted.ok) this.#refuse(message, accepted);
    else if (this.reader.trust !== before) {
      const trust = parsed(message) as TrustBundle;
      this.options.onChange({ type: 'trust', trust, changed: accepted.changed });
    }
    // Of a new epoch: its first snapshot stands in the stream before its trust.
    const { tip, delegation } = this.reader;
    const isPassed = tip !== null && delegation !== null && tip.h.epoch !== delegation.epoch;
    if (isPassed) this.#isAdrift = true;
    return isPassed;
  }

  #takeCommit(message: StoredMessage): boolean {
    const { tip, beat } = this.reader;
    const accepted = this.reader.acceptCommit(message.data);
    if (!accepted.ok) {
      this.#refuse(message, accepted);
      if (accepted.code === 'gap') this.#isAdrift = true;
      return accepted.code === 'gap';
    }
    if (this.reader.tip === tip) return false;
    this.#isAdrift = false;
    this.options.onChange({ type: 'commit', commit: parsed(message) as never, changed: accepted.changed });
    if (this.reader.beat !== null && this.reader.beat !== beat)
      this.options.onChange({ type: 'beat', beat: this.reader.beat, changed: [] });
    return false;
  }

  #takeBeat(message: StoredMessage): boolean {
    const { beat } = this.reader;
    const accepted = this.reader.acceptBeat(message.data);
    if (!accepted.ok) {
      this.#refuse(message, accepted);
      return accepted.code === 'gap' && this.reader.tip !== null;
    }
    if (this.reader.beat !== null && this.reader.beat !== beat)
      this.options.onChange({ type: 'beat', beat: this.reader.beat, changed: accepted.changed });
    return false;
  }

  /** Null: none that is newer than what is held. */
  #takeSnapshot(shelf: Shelf): readonly Change[] | null {
    const trust = this.reader.trust;
    if (trust === null) return null;
    for (const { head, documents } of shelf.snapshots()) {
      const { tip } = this.reader;
      if (tip !== null && compareHeads(head, tip) <= 0) return null;
      const state = { schema: 'headgate.state.v1', trust, head, documents };
      const accepted = this.reader.acceptState(state);
      if (accepted.ok) return accepted.changed;
    }
    return null;
  }

  #takeFirstCommit(shelf: Shelf): readonly Change[] | null {
    if (this.reader.tip !== null || this.reader.delegation === null) return null;
    const message = shelf.commit(this.reader.delegation.commitFloor + 1);
    const accepted = message === undefined ? null : this.reader.acceptCommit(message.data);
    return accepted?.ok ? accepted.changed : null;
  }

  /** The commits on the shelf that follow the tip. */
  #takeCommits(shelf: Shelf, isTold: boolean): readonly Change[] {
    const changed: Change[] = [];
    for (;;) {
      const { tip } = this.reader;
      const message = tip === null ? undefined : shelf.commit(tip.h.n + 1);
      if (message === undefined) return changed;
      const accepted = this.reader.acceptCommit(message.data);
      if (!accepted.ok && accepted.code !== 'rolled-back') this.#refuse(message, accepted);
      if (!accepted.ok || this.reader.tip === tip) return changed;
      if (isTold)
        this.options.onChange({
          type: 'commit',
          commit: parsed(message) as never,
          changed: accepted.changed,
        });
      changed.push(...accepted.changed);
    }
  }

  #tellState(changed: readonly Change[]): void {
    const state = this.reader.signedState();
    if (state === null) return;
    this.#isAdrift = false;
    this.options.onChange({ type: 'state', state, changed });
  }

  #refuse({ subject, sequence }: StoredMessage, refused: Extract<Acceptance, { ok: false }>): void {
    this.options.onRefused?.({ subject, sequence, code: refused.code, message: refused.message });
  }
}

/** Only of what the verifier has just read and accepted. */
const parsed = (message: StoredMessage): unknown => JSON.parse(Buffer.from(message.data).toString('utf8'));

const changesOf = (accepted: Acceptance): readonly Change[] => (accepted.ok ? accepted.changed : []);

/** The last word on each flag. */
const merged = (changes: readonly Change[]): readonly Change[] => [
  ...new Map(changes.map((change) => [change.flagId, change])).values(),
];
