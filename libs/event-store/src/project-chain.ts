import {
  GENESIS_HASH,
  type LogEvent,
  type LogPosition,
  logSubject,
  projectLogFilter,
  STREAMS,
} from '@headgate/contracts';
import { applyEvent, CommandRefused, emptyProject, type ProjectState } from '@headgate/domain';
import {
  OutcomeUnknown,
  type StoredMessage,
  type Streams,
  StreamsError,
  WrongLastSequence,
} from '@headgate/streams';
import { type EventDraft, sealEvent } from '@headgate/trust';
import { askWitnesses, refuseBehind } from './ask-witnesses.js';
import { ConcurrencyError, LogOutcomeUnknown, LogUnavailable } from './errors.js';
import type { WriteGuards } from './event-store.js';
import { type FoldSnapshot, readFoldSnapshot, writeFoldSnapshot } from './fold-snapshot.js';
import { readEnvelope, readEvent } from './read-event.js';
import { SeenHead } from './seen-head.js';
import { SerialQueue } from './serial-queue.js';

/** What LOG is declared to take in one message. */
const MAX_EVENT_BYTES = 262_144;

export interface ChainSurroundings {
  readonly streams: Streams;
  readonly guards: WriteGuards;
  /** Epoch of a project's first event. */
  readonly firstEpoch: number;
  readonly snapshotDir: string | null;
  readonly snapshotEvery: number;
  readonly warn: (message: string) => void;
}

/**
 * One project's chain as this process knows it: its fold, where in LOG it ends, and the only way to append to it. What is
 * cached is taken on trust within one connection to the server; after that it must be found again in the log.
 */
export class ProjectChain {
  readonly queue = new SerialQueue();
  /** Calls that hold on to this chain now. */
  users = 0;
  private fold = emptyProject();
  /** Sequence of the project's newest event in LOG; 0: none. What the next append expects. */
  private streamSequence = 0;
  private streamCreated: string | null = null;
  private checkedConnection = 0;
  private areWritesChecked = false;
  private readonly seen = new SeenHead();
  private eventsSinceSnapshot = 0;
  private writingSnapshot: Promise<void> | null = null;

  constructor(
    readonly project: string,
    private readonly around: ChainSurroundings,
  ) {}

  get state(): ProjectState {
    return this.fold;
  }

  get head(): LogPosition | null {
    return this.fold.head;
  }

  /** Sequence in LOG that the next append expects to be the project's last. */
  get expects(): number {
    return this.streamSequence;
  }

  /** Nothing in the log, nothing going on: as good as never asked for. */
  get isUnused(): boolean {
    return this.fold.head === null && this.seen.isEmpty && this.users === 0;
  }

  /** Makes sure that there is a fold which was found in the log on this connection; it may lack what others wrote since. */
  async load(): Promise<void> {
    await reading(async () => {
      if (this.checkedConnection !== this.around.streams.connectionNumber) await this.findAgain();
    });
  }

  /**
   * Loads, and refuses to go on where writing would fork history: behind the archive, FLAGS or what was seen here before. Asked
   * once per fold; after that, what is in the log stays in it.
   */
  async loadForWriting(options: { readonly epoch?: number } = {}): Promise<void> {
    await this.load();
    // A restore raises the epoch on purpose; it has read the witnesses itself.
    if (this.areWritesChecked || (options.epoch ?? 0) > (this.fold.head?.epoch ?? 0)) return;
    const witnesses = await askWitnesses(this.around.guards, this.project, this.fold.channels.keys());
    await this.refresh();
    refuseBehind(witnesses, this.seen, this);
    this.areWritesChecked = true;
  }

  /** Brings the fold up to the newest event. */
  async refresh(): Promise<void> {
    await reading(async () => {
      await this.load();
      const newest = await this.around.streams.last(STREAMS.log, projectLogFilter(this.project));
      if ((newest?.sequence ?? 0) === this.streamSequence) return;
      // Several new events, or another log under the same name: first see whether ours are still there.
      if (newest === null || !this.takeIfNext(newest)) await this.findAgain();
    });
  }

  /**
   * Publishes one event behind the head. Throws `ConcurrencyError` when the head has moved, `LogOutcomeUnknown` when nobody can
   * say; in both cases the caller refreshes, looks whether its event is there, and decides again if it is not.
   *
   * An event that is absent now may still be on its way (a request that timed out in a queue). It cannot become a second copy:
   * it carries the sequence it expects to be the project's last. If we append anew with the same expectation, one of the two
   * is stored and the other refused; if we do so with a later one, something was stored between and the late one is refused.
   * Only giving up leaves it open, and then the caller is told so.
   */
  async append(draft: EventDraft, options: { readonly epoch?: number } = {}): Promise<LogEvent> {
    // The connection was lost since the fold was found in the log: look again before relying on it.
    if (this.checkedConnection !== this.around.streams.connectionNumber)
      throw new ConcurrencyError(`the connection was lost while ${this.project} was decided on`);
    const epoch = Math.max(options.epoch ?? 0, this.fold.head?.epoch ?? this.around.firstEpoch);
    const event = sealEvent(draft, this.fold.head, epoch) as LogEvent;
    const sequence = await this.publish(event);
    this.take(event, sequence);
    return event;
  }

  async close(): Promise<void> {
    await this.writingSnapshot;
    if (this.eventsSinceSnapshot > 0) this.startSnapshot();
    await this.writingSnapshot;
  }

  private async publish(event: LogEvent): Promise<number> {
    const { project, kind, aggregateId } = event;
    const bytes = Buffer.from(JSON.stringify(event));
    if (bytes.length > MAX_EVENT_BYTES)
      throw new CommandRefused(
        'body-too-large',
        `the event would have ${bytes.length} bytes, more than ${MAX_EVENT_BYTES}`,
      );
    try {
      const ack = await this.around.streams.publish(logSubject(project, kind, aggregateId), bytes, {
        expectStream: STREAMS.log,
        expectLastSequence: this.streamSequence,
        expectFilter: projectLogFilter(project),
        msgId: event.id,
      });
      // The server has seen this id, but which of its copies counts only the log itself says.
      if (ack.duplicate) throw new OutcomeUnknown(`event ${event.id} is in the duplicate window`);
      return ack.sequence;
    } catch (error) {
      if (error instanceof WrongLastSequence)
        throw new ConcurrencyError(`somebody else appended to ${project}`, { cause: error });
      if (error instanceof OutcomeUnknown)
        throw new LogOutcomeUnknown(
          `event ${event.id} of ${project} may or may not be in the log`,
          event.hash,
          {
            cause: error,
          },
        );
      throw unavailable(error);
    }
  }

  /** Looks for the cached head where it was. Found: only new events are missing. Not found: the log is another, fold it anew. */
  private async findAgain(): Promise<void> {
    const { streams } = this.around;
    const connection = streams.connectionNumber;
    const stream = await streams.info(STREAMS.log);
    if (stream === null)
      throw new LogUnavailable('stream LOG does not exist: start the installation, or restore it');
    const { streamSequence, fold } = this;
    if (this.streamCreated !== stream.created || !(await this.isInLog({ streamSequence, head: fold.head }))) {
      this.areWritesChecked = false;
      await this.startFold(stream.created);
    }
    this.streamCreated = stream.created;
    await this.readOn();
    this.checkedConnection = connection;
  }

  private async startFold(created: string): Promise<void> {
    const { snapshotDir, warn } = this.around;
    this.seen.startAnew();
    const snapshot = snapshotDir === null ? null : await readFoldSnapshot(snapshotDir, this.project, warn);
    if (snapshot !== null && snapshot.streamCreated === created && (await this.isInLog(snapshot))) {
      this.fold = snapshot.state;
      this.streamSequence = snapshot.streamSequence;
      this.seen.see(snapshot.head);
    } else {
      if (snapshot !== null) {
        // Evidence all the same: this installation once held what the snapshot was made of.
        this.seen.see(snapshot.head);
        warn(`fold snapshot of ${this.project} is not of this log: folding it from its start`);
      }
      this.fold = emptyProject();
      this.streamSequence = 0;
    }
    this.eventsSinceSnapshot = 0;
  }

  private async isInLog(known: Pick<FoldSnapshot, 'streamSequence'> & { readonly head: LogPosition | null }) {
    if (known.head === null) return true;
    const message = await this.around.streams.get(STREAMS.log, known.streamSequence);
    if (message === null) return false;
    const found = readEnvelope(message);
    return found.project === this.project && found.hash === known.head.hash;
  }

  private async readOn(): Promise<void> {
    const range = this.around.streams.readRange(STREAMS.log, {
      filter: projectLogFilter(this.project),
      from: this.streamSequence + 1,
    });
    for await (const message of range) this.take(this.read(message), message.sequence);
  }

  /** The usual case, without a consumer: one new event, which we have in our hands. */
  private takeIfNext(message: StoredMessage): boolean {
    if (message.sequence < this.streamSequence) return false;
    const envelope = readEnvelope(message);
    if (envelope.prevHash !== (this.fold.head?.hash ?? GENESIS_HASH)) return false;
    this.take(readEvent(message, envelope, this.fold.head), message.sequence);
    return true;
  }

  private read(message: StoredMessage): LogEvent {
    return readEvent(message, readEnvelope(message), this.fold.head);
  }

  private take(event: LogEvent, streamSequence: number): void {
    applyEvent(this.fold, event);
    this.streamSequence = streamSequence;
    this.seen.see({ epoch: event.epoch, position: event.position, hash: event.hash });
    this.eventsSinceSnapshot += 1;
    // Writing costs what the fold holds, most of it answers of the last day: a large one is written less often.
    const every = Math.max(this.around.snapshotEvery, this.fold.answered.size / 2);
    if (this.eventsSinceSnapshot >= every) this.startSnapshot();
  }

  private startSnapshot(): void {
    const { snapshotDir, warn } = this.around;
    const { head } = this.fold;
    if (snapshotDir === null || this.writingSnapshot !== null || head === null || this.streamCreated === null)
      return;
    this.eventsSinceSnapshot = 0;
    const { project, streamCreated, streamSequence, fold } = this;
    this.writingSnapshot = writeFoldSnapshot(snapshotDir, {
      project,
      streamCreated,
      streamSequence,
      head,
      state: fold,
    })
      .catch((error: Error) => warn(`fold snapshot of ${project} was not written: ${error.message}`))
      .finally(() => {
        this.writingSnapshot = null;
      });
  }
}

const unavailable = (error: unknown): unknown =>
  error instanceof StreamsError ? new LogUnavailable(error.message, { cause: error }) : error;

const reading = async <T>(read: () => Promise<T>): Promise<T> => {
  try {
    return await read();
  } catch (error) {
    throw unavailable(error);
  }
};
