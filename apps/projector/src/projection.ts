import { isEventType, type LogPosition } from '@headgate/contracts';
import { applyEvent } from '@headgate/domain';
import {
  type EventStore,
  type FollowedLog,
  LogBehind,
  LogForked,
  type StoredEvent,
} from '@headgate/event-store';
import {
  ArchiveForked,
  type Checkpoint,
  CheckpointMoved,
  type Database,
  MigrationMismatch,
  migrate,
  readCheckpoint,
  replaceGeneration,
  writeBatch,
} from '@headgate/read-model';
import { canonicalJson } from '@headgate/trust';
import { Changed } from './changed.js';
import { type Folds, foldBatch, foldOf } from './folds.js';

export interface ProjectionOptions {
  readonly store: Pick<EventStore, 'follow' | 'read'>;
  readonly db: Database;
  /** Waits before the next try after Postgres or the log was away; grows with the attempt. */
  readonly pause: (attempt: number, signal: AbortSignal) => Promise<void>;
  readonly onNote?: (note: ProjectionNote) => void;
}

export type ProjectionNote =
  | { readonly kind: 'fault'; readonly cause: unknown; readonly isFatal: boolean }
  | { readonly kind: 'written'; readonly events: number };

export interface ProjectionStatus {
  /** Reading the log anew, keeping up with it, or stopped for somebody to look. */
  readonly state: 'starting' | 'following' | 'stopped';
  readonly detail: string;
  /** Events taken from the log and not in Postgres yet. */
  readonly lag: number;
  readonly checkpoint: Checkpoint | null;
}

const BATCH = 5_000;
const MAX_PENDING = 20_000;

/**
 * Folds the log and writes archive, views and checkpoint in one transaction a batch. Never skips: on an event it cannot read, or
 * a log that tells another story than the archive, it stops and says so.
 */
export class Projection {
  readonly #ended = new AbortController();
  #folds: Folds = new Map();
  #pending: StoredEvent[] = [];
  #checkpoint: Checkpoint | null = null;
  #state: ProjectionStatus['state'] = 'starting';
  #detail = 'connecting to Postgres';
  #running: Promise<void> | null = null;
  readonly #changed = new Changed();
  /** Writing and rebuilding take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ProjectionOptions) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    this.#changed.notify();
    await this.#running;
    await this.#turn.catch(() => undefined);
  }

  status(): ProjectionStatus {
    return {
      state: this.#state,
      detail: this.#detail,
      lag: this.#pending.length,
      checkpoint: this.#checkpoint,
    };
  }

  /** Folds the whole log anew into fresh tables and switches readers over; reads go on meanwhile. */
  async rebuild(): Promise<{ readonly events: number; readonly rows: number; readonly generation: number }> {
    const folds: Folds = new Map();
    let [events, sequence] = [0, 0];
    const takeIn = async (until: number): Promise<void> => {
      for await (const { event, streamSequence } of this.options.store.read({ from: sequence + 1 })) {
        if (streamSequence > until) return;
        applyEvent(foldOf(folds, event.project), event);
        [events, sequence] = [events + 1, streamSequence];
      }
    };
    await takeIn((await readCheckpoint(this.options.db)).streamSequence);
    return this.#inTurn(async () => {
      const now = await readCheckpoint(this.options.db);
      await takeIn(now.streamSequence);
      return { events, ...(await replaceGeneration(this.options.db, folds, now)) };
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await migrate(this.options.db);
        await this.#follow(() => {
          attempt = 0;
        });
      } catch (cause) {
        if (signal.aborted) return;
        const isFatal = this.#isFatal(cause);
        this.#state = isFatal ? 'stopped' : 'starting';
        this.#detail = cause instanceof Error ? cause.message : String(cause);
        this.options.onNote?.({ kind: 'fault', cause, isFatal });
        await this.options.pause(isFatal ? 10 : attempt, signal);
      }
    }
  }

  /** Waiting does not mend these; it keeps looking all the same, rarely, because a restore or an upgrade does. */
  #isFatal(cause: unknown): boolean {
    const name = cause instanceof Error ? cause.name : '';
    return (
      cause instanceof LogForked ||
      cause instanceof LogBehind ||
      cause instanceof ArchiveForked ||
      cause instanceof MigrationMismatch ||
      name === 'EventUnreadable'
    );
  }

  async #follow(onProgress: () => void): Promise<void> {
    const { signal } = this.#ended;
    this.#folds = new Map();
    this.#pending = [];
    this.#checkpoint = await readCheckpoint(this.options.db);
    this.#detail = 'reading the log';
    const followed = this.options.store.follow({ from: null });
    const stop = (): void => void followed.close();
    signal.addEventListener('abort', stop, { once: true });
    let failure: unknown = null;
    const reading = this.#read(followed).catch((cause) => {
      failure ??= cause;
    });
    let isReading = true;
    void reading.then(() => {
      isReading = false;
      this.#changed.notify();
    });
    try {
      while (!signal.aborted) {
        if (this.#pending.length > 0) {
          await this.#inTurn(() => this.#flush(followed.checkpoint().streamCreated));
          onProgress();
        } else if (!isReading) break;
        else await this.#changed.until(() => this.#pending.length > 0 || !isReading || signal.aborted);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await followed.close();
      this.#changed.notify();
      await reading;
    }
    if (failure && !signal.aborted) throw failure;
  }

  async #read(followed: FollowedLog): Promise<void> {
    const { signal } = this.#ended;
    const known = this.#checkpoint?.heads ?? {};
    let refusal: unknown = null;
    followed.caughtUp
      .then(() => {
        this.#refuseShorterLog(known);
        this.#state = 'following';
        this.#detail = 'following';
      })
      .catch((cause) => {
        refusal ??= cause;
        void followed.close();
      });
    for await (const stored of followed) {
      if (signal.aborted) return;
      this.#take(stored, known[stored.event.project]);
      if (this.#pending.length >= MAX_PENDING)
        await this.#changed.until(() => this.#pending.length < MAX_PENDING / 2 || signal.aborted);
    }
    if (refusal && !signal.aborted) throw refusal;
  }

  /** What the archive has already is folded only, and must be the same event. */
  #take(stored: StoredEvent, known: LogPosition | undefined): void {
    const { event } = stored;
    if (!isEventType(event.type))
      throw new LogForked(`${event.type} at position ${event.position}: unknown event type`);
    if (!known || event.position > known.position) {
      this.#pending.push(stored);
      this.#changed.notify();
      return;
    }
    if (event.position === known.position && event.hash !== known.hash)
      throw new LogForked(
        `project "${event.project}", position ${event.position}: the log holds another event than the archive; run \`headgate log verify\``,
      );
    applyEvent(foldOf(this.#folds, event.project), event);
  }

  #refuseShorterLog(known: Checkpoint['heads']): void {
    for (const [project, head] of Object.entries(known)) {
      const position = this.#folds.get(project)?.head?.position ?? 0;
      const isPending = this.#pending.some(({ event }) => event.project === project);
      if (position < head.position && !isPending)
        throw new LogBehind(
          `project "${project}": the log ends at position ${position}, the archive at ${head.position}; run \`headgate log restore\``,
        );
    }
  }

  async #flush(streamCreated: string): Promise<void> {
    const from = this.#checkpoint;
    const taken = this.#pending.slice(0, BATCH);
    const last = taken.at(-1);
    if (!from || !last) return;
    const { events, rows, heads } = foldBatch(this.#folds, taken, from);
    const to = { streamCreated, streamSequence: last.streamSequence, heads };
    this.#pending.splice(0, taken.length);
    await this.#write(() => writeBatch(this.options.db, { events, rows, from, to }), to);
    this.#checkpoint = to;
    this.#changed.notify();
    this.options.onNote?.({ kind: 'written', events: events.length });
  }

  /** The same batch again until it is in: the folds are past it and cannot be taken back. */
  async #write(attempt: () => Promise<void>, to: Checkpoint): Promise<void> {
    const { signal } = this.#ended;
    for (let tries = 0; ; tries += 1) {
      try {
        return await attempt();
      } catch (cause) {
        if (signal.aborted || cause instanceof ArchiveForked) throw cause;
        if (cause instanceof CheckpointMoved) {
          // Our own write whose answer got lost, or another projector: only the first may go on.
          const now = await readCheckpoint(this.options.db);
          if (canonicalJson(now) === canonicalJson(to)) return;
          throw cause;
        }
        this.#detail = `Postgres: ${cause instanceof Error ? cause.message : String(cause)}`;
        this.options.onNote?.({ kind: 'fault', cause, isFatal: false });
        await this.options.pause(tries, signal);
        if (signal.aborted) throw cause;
        this.#detail = 'following';
      }
    }
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run, run);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
