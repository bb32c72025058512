import { SYSTEM_PROJECT } from '@headgate/contracts';
import {
  type EventStore,
  EventUnreadable,
  keepFollowing,
  LogBehind,
  LogForked,
  type StoredEvent,
} from '@headgate/event-store';
import type { Streams } from '@headgate/streams';
import { ChannelWriter, type WriterNote } from './channel/channel-writer.js';
import type { TrustKeeper } from './keys/trust-keeper.js';
import { ProjectFold } from './log/project-fold.js';

export interface PublisherOptions {
  readonly store: Pick<EventStore, 'follow'>;
  readonly streams: Streams;
  readonly keeper: TrustKeeper;
  readonly now: () => number;
  /** At most this long between beats of a channel. */
  readonly beatEveryMs: number;
  /** Between a failed try to follow the log and the next. */
  readonly pause: (signal: AbortSignal) => Promise<void>;
  readonly onNote?: (note: PublisherNote) => void;
}

export type PublisherNote =
  | (WriterNote & { readonly project: string; readonly channel: string })
  | { readonly kind: 'log-fault'; readonly cause: unknown };

/**
 * Folds LOG into signed FLAGS, channel by channel. It has no other input and no state of its own beside its keys: started anew, or
 * beside another one, it reads both and publishes the difference.
 */
export class Publisher {
  readonly #stop = new AbortController();
  readonly #folds = new Map<string, ProjectFold>();
  readonly #writers = new Map<string, ChannelWriter>();
  #isCaughtUp = false;
  #fault: unknown = null;
  #following: Promise<void> = Promise.resolve();

  constructor(private readonly options: PublisherOptions) {}

  /** One line on what is wrong; null when every channel follows the log. */
  get trouble(): string | null {
    if (this.#fault !== null) return `log: ${messageOf(this.#fault)}`;
    if (!this.#isCaughtUp) return 'reading the log';
    for (const [name, writer] of this.#writers)
      if (writer.fault !== null) return `${name}: ${messageOf(writer.fault)}`;
    const waiting = [...this.#writers].find(([, writer]) => !writer.isSettled);
    return waiting === undefined ? null : `${waiting[0]}: publishing`;
  }

  /** Flags whose documents cannot be published, with their channels; everything else of these is. */
  get withheld(): readonly string[] {
    return [...this.#writers].flatMap(([name, writer]) =>
      writer.withheld.map(({ key, cause }) => `${name}: flag "${key}" is withheld: ${cause}`),
    );
  }

  start(): void {
    const { store, pause } = this.options;
    this.#following = keepFollowing({
      store,
      pause,
      signal: this.#stop.signal,
      onEvent: (stored) => this.#take(stored),
      onCaughtUp: () => this.#catchUp(),
      onFault: (cause) => this.#fail(cause),
    });
  }

  /** Resolves when the publishes under way are over. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await this.#closeWriters();
  }

  #take({ event }: StoredEvent): void {
    this.#fault = null;
    if (event.project === SYSTEM_PROJECT) return;
    const fold = this.#folds.get(event.project) ?? new ProjectFold(event.project);
    this.#folds.set(event.project, fold);
    const touched = fold.apply(event);
    if (touched === null || !this.#isCaughtUp) return;
    const writer = this.#writer(fold, touched.channel);
    // In one go: a kill and what follows from it for other flags share a commit.
    for (const flagId of touched.flagIds) writer.touch(flagId, touched.isUrgent);
  }

  #catchUp(): void {
    this.#fault = null;
    this.#isCaughtUp = true;
    for (const fold of this.#folds.values()) for (const channel of fold.channels) this.#writer(fold, channel);
  }

  #fail(cause: unknown): void {
    this.#fault = cause;
    this.options.onNote?.({ kind: 'log-fault', cause });
    const isStuck =
      cause instanceof EventUnreadable || cause instanceof LogForked || cause instanceof LogBehind;
    if (!isStuck) return;
    // A beat would vouch for a state that we know to be behind the log.
    this.#isCaughtUp = false;
    void this.#closeWriters();
    if (cause instanceof LogForked) this.#folds.clear();
  }

  #writer(fold: ProjectFold, channel: string): ChannelWriter {
    const { streams, keeper, now, beatEveryMs, onNote } = this.options;
    const { project } = fold;
    const name = `${project}/${channel}`;
    const found = this.#writers.get(name);
    if (found !== undefined) return found;
    const writer = new ChannelWriter({
      streams,
      keeper,
      fold,
      channel,
      now,
      beatEveryMs,
      onNote: (note) => onNote?.({ ...note, project, channel }),
    });
    this.#writers.set(name, writer);
    writer.start();
    return writer;
  }

  async #closeWriters(): Promise<void> {
    const writers = [...this.#writers.values()];
    this.#writers.clear();
    await Promise.all(writers.map((writer) => writer.close()));
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
