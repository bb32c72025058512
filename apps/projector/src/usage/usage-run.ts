import { type DeadLetter, deadLetterSubject, STREAMS } from '@headgate/contracts';
import {
  CheckpointMoved,
  type Database,
  migrate,
  readUsageCheckpoint,
  retainUsage,
  type UsageBatch,
  type UsageCheckpoint,
  type UsageReport,
  writeUsage,
} from '@headgate/read-model';
import { type DeliveredMessage, StreamMissing, type Streams } from '@headgate/streams';
import { readUsageMessage, type Unreadable } from './read-usage-message.js';

export interface UsageRunOptions {
  readonly streams: Pick<Streams, 'info' | 'follow' | 'publish'>;
  readonly db: Database;
  readonly now: () => number;
  /** Waits before the next try after Postgres or nats-server was away; grows with the attempt. */
  readonly pause: (attempt: number, signal: AbortSignal) => Promise<void>;
  readonly onNote?: (note: UsageNote) => void;
}

export type UsageNote =
  | { readonly kind: 'fault'; readonly cause: unknown }
  | { readonly kind: 'counted'; readonly reports: number }
  | { readonly kind: 'skipped'; readonly sequence: number; readonly error: string; readonly isKept: boolean }
  | { readonly kind: 'left-out'; readonly reports: number }
  | { readonly kind: 'forgotten'; readonly rows: number };

export interface UsageStatus {
  readonly state: 'starting' | 'following';
  readonly detail: string;
  readonly checkpoint: UsageCheckpoint | null;
}

const USAGE_CONSUMER = 'usage';

const MOST_MESSAGES = 200;
const MOST_REPORTS = 1_000;
const RETAIN_EVERY_MS = 3_600_000;
const MOST_DEAD_TEXT = 65_536;

interface Counted {
  readonly message: DeliveredMessage;
  readonly at: number;
  readonly reports: readonly UsageReport[];
  readonly skipped: number;
}

/**
 * Counts the use of flags from TELEMETRY into Postgres. It follows from a checkpoint that moves in the transaction that counts, so
 * a message counts once through any crash; a durable consumer's acknowledgement could only come before or after. Apart from the
 * projection of the log: neither waits for the other. What cannot be read goes to DLQ, and the next report is counted.
 */
export class UsageRun {
  readonly #ended = new AbortController();
  #state: UsageStatus['state'] = 'starting';
  #detail = 'connecting to Postgres';
  #checkpoint: UsageCheckpoint | null = null;
  #retainedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;

  constructor(private readonly options: UsageRunOptions) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  status(): UsageStatus {
    return { state: this.#state, detail: this.#detail, checkpoint: this.#checkpoint };
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await migrate(this.options.db);
        await this.#session(() => {
          attempt = 0;
        });
      } catch (cause) {
        if (signal.aborted) return;
        this.#state = 'starting';
        this.#detail = cause instanceof Error ? cause.message : String(cause);
        this.#note({ kind: 'fault', cause });
        await this.options.pause(attempt, signal);
      }
    }
  }

  async #session(onProgress: () => void): Promise<void> {
    const { signal } = this.#ended;
    const from = await this.#whereToStart();
    const following = this.options.streams.follow(STREAMS.telemetry, { from: from.streamSequence + 1 });
    const stop = (): void => void following.close();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      this.#state = 'following';
      this.#detail = 'following';
      let held: Counted[] = [];
      let reports = 0;
      await this.#retainWhenDue();
      for await (const message of following) {
        const { at, reports: read, unreadable } = readUsageMessage(message);
        await this.#bury(message, unreadable);
        held.push({ message, at, reports: read, skipped: unreadable.length });
        reports += read.length;
        if (message.pending > 0 && held.length < MOST_MESSAGES && reports < MOST_REPORTS) continue;
        await this.#write(held);
        [held, reports] = [[], 0];
        onProgress();
        await this.#retainWhenDue();
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await following.close();
    }
  }

  /**
   * The checkpoint, and where it no longer fits the stream, a new one: another TELEMETRY is read from its beginning, one that lost
   * its tail from its new end on. Reports that come twice on the way add nothing.
   */
  async #whereToStart(): Promise<UsageCheckpoint> {
    const { streams, db } = this.options;
    const info = await streams.info(STREAMS.telemetry);
    if (info === null) throw new StreamMissing(STREAMS.telemetry);
    const from = await readUsageCheckpoint(db);
    const streamSequence =
      from.streamCreated === info.created ? Math.min(from.streamSequence, info.lastSequence) : 0;
    const to = { ...from, streamCreated: info.created, streamSequence };
    if (from.streamCreated !== info.created || streamSequence !== from.streamSequence)
      await writeUsage(db, { from, to, reports: [], skipped: 0 });
    this.#checkpoint = to;
    return to;
  }

  async #write(held: readonly Counted[]): Promise<void> {
    const reports = held.flatMap((one) => one.reports);
    try {
      await this.#store(
        reports,
        this.#after(held),
        held.reduce((sum, one) => sum + one.skipped, 0),
      );
    } catch (cause) {
      if (!isRefusedContent(cause)) throw cause;
      await this.#writeOneByOne(held);
      return;
    }
    this.#note({ kind: 'counted', reports: reports.length });
  }

  /** Postgres cannot hold something in the batch: all but that is counted. */
  async #writeOneByOne(held: readonly Counted[]): Promise<void> {
    for (const one of held) {
      let { skipped } = one;
      for (const [index, report] of one.reports.entries()) {
        try {
          await this.#store([report], this.#checkpoint as UsageCheckpoint, 0);
          this.#note({ kind: 'counted', reports: 1 });
        } catch (cause) {
          if (!isRefusedContent(cause)) throw cause;
          skipped += 1;
          const error = (cause as Error).message;
          await this.#bury(one.message, [{ index, error, text: JSON.stringify(report) }]);
        }
      }
      await this.#store([], this.#after([one]), skipped);
    }
  }

  #after(held: readonly Counted[]): UsageCheckpoint {
    const from = this.#checkpoint as UsageCheckpoint;
    const receivedAt = Math.max(from.receivedAt, ...held.map(({ at }) => at));
    const streamSequence = held.at(-1)?.message.sequence ?? from.streamSequence;
    return { streamCreated: from.streamCreated, streamSequence, receivedAt };
  }

  /** The same batch again until it is in, however long Postgres is away. */
  async #store(reports: readonly UsageReport[], to: UsageCheckpoint, skipped: number): Promise<void> {
    const { signal } = this.#ended;
    const batch: UsageBatch = { from: this.#checkpoint as UsageCheckpoint, to, reports, skipped };
    for (let attempt = 0; ; attempt += 1) {
      try {
        const { leftOut } = await writeUsage(this.options.db, batch);
        if (leftOut > 0) this.#note({ kind: 'left-out', reports: leftOut });
        this.#checkpoint = to;
        this.#detail = 'following';
        return;
      } catch (cause) {
        // Our own write whose answer got lost, or another reader: the session begins again where the database says.
        if (signal.aborted || cause instanceof CheckpointMoved || isRefusedContent(cause)) throw cause;
        this.#detail = `Postgres: ${cause instanceof Error ? cause.message : String(cause)}`;
        this.#note({ kind: 'fault', cause });
        await this.options.pause(attempt, signal);
      }
    }
  }

  /** Into DLQ and into the log of this process; the count of what was skipped moves with the checkpoint. */
  async #bury(message: DeliveredMessage, unreadable: readonly Unreadable[]): Promise<void> {
    for (const { index, error, text } of unreadable) {
      const letter: DeadLetter = {
        schema: 'headgate.dead-letter.v1',
        consumer: USAGE_CONSUMER,
        stream: STREAMS.telemetry,
        sequence: message.sequence,
        ...(index === undefined ? {} : { index }),
        at: this.options.now(),
        error,
        text: text.slice(0, MOST_DEAD_TEXT),
      };
      this.#note({
        kind: 'skipped',
        sequence: message.sequence,
        error,
        isKept: await this.#keep(letter),
      });
    }
  }

  /** One try: a letter box that is away must not hold up the counting, and TELEMETRY still has the message. */
  async #keep(letter: DeadLetter): Promise<boolean> {
    const { sequence, index } = letter;
    try {
      await this.options.streams.publish(
        deadLetterSubject(USAGE_CONSUMER),
        Buffer.from(JSON.stringify(letter)),
        {
          expectStream: STREAMS.deadLetters,
          msgId: `${USAGE_CONSUMER} ${this.#checkpoint?.streamCreated} ${sequence} ${index ?? ''}`,
        },
      );
      return true;
    } catch {
      return false;
    }
  }

  async #retainWhenDue(): Promise<void> {
    const now = this.options.now();
    if (now - this.#retainedAt < RETAIN_EVERY_MS) return;
    this.#retainedAt = now;
    const rows = await retainUsage(this.options.db, now);
    if (rows > 0) this.#note({ kind: 'forgotten', rows });
  }

  #note(note: UsageNote): void {
    this.options.onNote?.(note);
  }
}

/** SQLSTATE class 22, data exception: the same bytes will never do. */
const isRefusedContent = (cause: unknown): boolean => {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code);
};
