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
  type Batch,
  type Checkpoint,
  CheckpointMoved,
  type Database,
  findRefused,
  isContentRefused,
  MigrationMismatch,
  migrate,
  readCheckpoint,
  replaceGeneration,
  writeBatch,
} from '@headgate/read-model';
import { canonicalJson } from '@headgate/trust';
import { Changed } from './changed.js';
import { type Folds, foldBatch, foldOf } from './folds.js';
import { PendingEvents } from './pending-events.js';

export interface ProjectionOptions {
  readonly store: Pick<EventStore, 'follow' | 'read'>;
  readonly db: Database;
  /** Waits before the next try after Postgres or the log was away; grows with the attempt. */
  readonly pause: (attempt: number, signal: AbortSignal) => Promise<void>;
  readonly onNote?: (note: ProjectionNote) => void;
}

export type ProjectionNote =
  | { readonly kind: 'fault'; readonly cause: unknown; readonly isFatal: boolean; readonly at?: RefusedAt }
  | { readonly kind: 'written'; readonly events: number };

/** The event that Postgres refuses, and the table that does not take it. */
export interface RefusedAt {
  readonly project: string;
  readonly position: number;
  readonly streamSequence: number;
  readonly table: string;
}

export interface ProjectionStatus {
  /** Reading the log anew, keeping up with it, waiting for Postgres, or stopped for somebody to look. */
  readonly state: 'starting' | 'following' | 'waiting' | 'stopped';
  readonly detail: string;
  /** Events taken from the log and not in Postgres yet. */
  readonly lag: number;
  readonly checkpoint: Checkpoint | null;
  readonly refused: RefusedAt | null;
}

interface Hindrance {
  readonly state: 'waiting' | 'stopped';
  readonly detail: string;
  readonly refused: RefusedAt | null;
}

/**
 * Folds the log and writes archive, views and checkpoint in one transaction a batch. Never skips: on an event it cannot read, or
 * a log that tells another story than the archive, it stops and says so.
 */
export class Projection {
  readonly #ended = new AbortController();
  #folds: Folds = new Map();
  #pending = new PendingEvents();
  #checkpoint: Checkpoint | null = null;
  #state: ProjectionStatus['state'] = 'starting';
  #detail = 'connecting to Postgres';
  /** Why the batch at hand is not in; reading the log goes on meanwhile and has its own state. */
  #hindrance: Hindrance | null = null;
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
      state: this.#hindrance?.state ?? this.#state,
      detail: this.#hindrance?.detail ?? this.#detail,
      lag: this.#pending.length,
      checkpoint: this.#checkpoint,
      refused: this.#hindrance?.refused ?? null,
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
    this.#pending = new PendingEvents();
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
      // A project may be called "constructor".
      const { project } = stored.event;
      this.#take(stored, Object.hasOwn(known, project) ? known[project] : undefined);
      if (this.#pending.isFull(1))
        await this.#changed.until(() => !this.#pending.isFull(0.5) || signal.aborted);
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
      const isPending = this.#pending.hasProject(project);
      if (position < head.position && !isPending)
        throw new LogBehind(
          `project "${project}": the log ends at position ${position}, the archive at ${head.position}; run \`headgate log restore\``,
        );
    }
  }

  async #flush(streamCreated: string): Promise<void> {
    const from = this.#checkpoint;
    const taken = this.#pending.nextBatch();
    const last = taken.at(-1);
    if (!from || !last) return;
    const { events, rows, heads } = foldBatch(this.#folds, taken, from);
    const to = { streamCreated, streamSequence: last.streamSequence, heads };
    await this.#write({ events, rows, from, to });
    this.#pending.drop(taken.length);
    this.#checkpoint = to;
    this.#changed.notify();
    this.options.onNote?.({ kind: 'written', events: events.length });
  }

  /** The same batch again until it is in: the folds are past it and cannot be taken back. */
  async #write(batch: Batch): Promise<void> {
    const { signal } = this.#ended;
    try {
      for (let tries = 0; ; tries += 1) {
        try {
          return await writeBatch(this.options.db, batch);
        } catch (cause) {
          if (signal.aborted || cause instanceof ArchiveForked) throw cause;
          if (cause instanceof CheckpointMoved) {
            // Our own write whose answer got lost, or another projector: only the first may go on.
            const now = await readCheckpoint(this.options.db);
            if (canonicalJson(now) === canonicalJson(batch.to)) return;
            throw cause;
          }
          await this.#hinder(batch, cause);
          await this.options.pause(tries, signal);
          if (signal.aborted) throw cause;
        }
      }
    } finally {
      this.#hindrance = null;
    }
  }

  /** Postgres away comes back by itself; content that it refuses does not, and somebody must learn which event it is. */
  async #hinder(batch: Batch, cause: unknown): Promise<void> {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (!isContentRefused(cause)) {
      this.#hindrance = { state: 'waiting', detail: `Postgres: ${message}`, refused: null };
      this.options.onNote?.({ kind: 'fault', cause, isFatal: false });
      return;
    }
    const refused = await this.#locate(batch);
    const what = refused
      ? `the row of project "${refused.project}", position ${refused.position} (stream sequence ${refused.streamSequence}) in table ${refused.table}`
      : `a row of stream sequences ${batch.from.streamSequence + 1} to ${batch.to.streamSequence}`;
    this.#hindrance = { state: 'stopped', detail: `Postgres refuses ${what}: ${message}`, refused };
    this.options.onNote?.({ kind: 'fault', cause, isFatal: true, ...(refused ? { at: refused } : {}) });
  }

  async #locate(batch: Batch): Promise<RefusedAt | null> {
    const found = await findRefused(this.options.db, batch).catch(() => null);
    if (!found) return null;
    const { project, position, streamSequence } = found.event;
    return { project, position, streamSequence, table: found.table };
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run, run);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
