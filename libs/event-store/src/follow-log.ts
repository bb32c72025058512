import { type LogPosition, projectLogFilter, STREAMS } from '@headgate/contracts';
import {
  type StoredMessage,
  StreamMissing,
  StreamReplaced,
  type Streams,
  type Subscription,
  Unavailable,
} from '@headgate/streams';
import { LogBehind, LogForked } from './errors.js';
import type { FollowCheckpoint, FollowedLog, StoredEvent } from './event-store.js';
import { describePosition, isAheadOf } from './log-order.js';
import { readEnvelope, readEvent } from './read-event.js';

const RETRY_MS = 200;

/**
 * Follows LOG from a checkpoint. The checkpoint's sequence only says where to look: if the event there is another one, or the
 * stream is, the log was restored, and it is read from its start up to the checkpoint's heads, which must be in it.
 */
export class LogFollower implements FollowedLog {
  readonly caughtUp: Promise<void>;
  /** Resolves when it was closed or has failed. */
  readonly ended: Promise<void>;
  private readonly heads: Map<string, LogPosition>;
  private streamCreated: string;
  private streamSequence: number;
  private isRereading = false;
  private subscription: Subscription | null = null;
  private closed = false;
  private markCaughtUp!: () => void;
  private failCaughtUp!: (error: Error) => void;
  private markEnded!: () => void;

  constructor(
    private readonly streams: Streams,
    from: FollowCheckpoint | null,
    private readonly warn: (message: string) => void,
  ) {
    this.heads = new Map(Object.entries(from?.heads ?? {}));
    this.streamCreated = from?.streamCreated ?? '';
    this.streamSequence = from?.streamSequence ?? 0;
    this.caughtUp = new Promise((resolve, reject) => {
      this.markCaughtUp = resolve;
      this.failCaughtUp = reject;
    });
    this.caughtUp.catch(() => {});
    this.ended = new Promise((resolve) => {
      this.markEnded = resolve;
    });
  }

  checkpoint(): FollowCheckpoint {
    return {
      streamCreated: this.streamCreated,
      streamSequence: this.streamSequence,
      heads: Object.fromEntries(this.heads),
    };
  }

  async *[Symbol.asyncIterator](): AsyncIterator<StoredEvent> {
    try {
      while (!this.closed) {
        if (!(await this.findPlace())) continue;
        try {
          yield* this.deliver();
          return;
        } catch (error) {
          // The stream is another one than a moment ago: what we have taken must be found in it before we go on.
          if (!(error instanceof StreamReplaced) && !(error instanceof StreamMissing)) throw error;
          this.warn(`following LOG: ${error.message}`);
        }
      }
    } catch (error) {
      this.failCaughtUp(error as Error);
      throw error;
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.markEnded();
    this.failCaughtUp(new Error('following the log was closed before it caught up'));
    await this.subscription?.close();
  }

  private async *deliver(): AsyncGenerator<StoredEvent> {
    const subscription = this.streams.follow(STREAMS.log, {
      from: this.isRereading ? 0 : this.streamSequence + 1,
    });
    this.subscription = subscription;
    if (this.closed) await subscription.close();
    subscription.caughtUp.then(this.markCaughtUp, () => {});
    for await (const message of subscription) {
      const stored = this.take(message);
      if (stored !== null) yield stored;
    }
  }

  /** Null for an event that was taken before the log was restored. */
  private take(message: StoredMessage): StoredEvent | null {
    const envelope = readEnvelope(message);
    const head = this.heads.get(envelope.project) ?? null;
    if (
      this.isRereading &&
      head !== null &&
      envelope.position <= head.position &&
      envelope.epoch <= head.epoch
    ) {
      if (envelope.position === head.position && envelope.hash !== head.hash)
        throw forked(envelope.project, head, envelope);
      return null;
    }
    if (head !== null && envelope.position === head.position + 1 && envelope.prevHash !== head.hash)
      throw forked(envelope.project, head, envelope);
    if (this.isRereading && head !== null && envelope.position <= head.position)
      throw forked(envelope.project, head, envelope);
    const event = readEvent(message, envelope, head);
    const { epoch, position, hash } = event;
    this.heads.set(event.project, { epoch, position, hash });
    this.streamSequence = message.sequence;
    return { event, streamSequence: message.sequence, written: message.data };
  }

  /** False: the log is away, look again. Throws `LogBehind` when it ends before what was taken. */
  private async findPlace(): Promise<boolean> {
    try {
      const stream = await this.streams.info(STREAMS.log);
      if (stream === null) throw new Unavailable('stream LOG does not exist');
      this.isRereading = this.heads.size > 0 && !(await this.isAtCheckpoint(stream.created));
      if (this.isRereading) await this.refuseBehind();
      this.streamCreated = stream.created;
      return true;
    } catch (error) {
      // Closed for good: nobody will reconnect.
      if (!(error instanceof Unavailable) || this.streams.status === 'closed') throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      return false;
    }
  }

  private async isAtCheckpoint(created: string): Promise<boolean> {
    if (created !== this.streamCreated) return false;
    const message = await this.streams.get(STREAMS.log, this.streamSequence);
    if (message === null) return false;
    const envelope = readEnvelope(message);
    return this.heads.get(envelope.project)?.hash === envelope.hash;
  }

  private async refuseBehind(): Promise<void> {
    for (const [project, head] of this.heads) {
      const newest = await this.streams.last(STREAMS.log, projectLogFilter(project));
      const found = newest === null ? null : readEnvelope(newest);
      const log = found && { epoch: found.epoch, position: found.position, hash: found.hash };
      if (isAheadOf(head, log))
        throw new LogBehind(
          `the log of ${project} ends at ${describePosition(log)}, but ${describePosition(head)} was already taken: run \`headgate log restore\``,
        );
    }
  }
}

const forked = (project: string, head: LogPosition, found: LogPosition): LogForked =>
  new LogForked(
    `the log of ${project} goes another way at ${describePosition(found)} than what was taken up to ${describePosition(head)}: rebuild from the log`,
  );
