import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
} from '@nats-io/jetstream';
import {
  createInbox,
  type Msg,
  type NatsConnection,
  type Subscription as NatsSubscription,
  nanos,
} from '@nats-io/transport-node';
import { readDeliveryInfo } from './delivery-info.js';
import { DeliveryQueue } from './delivery-queue.js';
import { DeliveryBroken, StreamMissing, StreamReplaced, Unavailable } from './errors.js';
import type { DeliveredMessage, FollowOptions, Subscription } from './streams.js';

const HEARTBEAT_MS = 1_000;
const SILENCE_MS = 3 * HEARTBEAT_MS;
const RETRY_MS = [50, 100, 200, 400, 800, 1_000] as const;
/** A restarting server may not have recovered its streams yet. */
const MISSING_TRIES = 8;
const RANGE_TRIES = 4;

export interface DeliverySource {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly inboxPrefix: string;
  readonly isConnected: () => boolean;
  /** Runs at every reconnect until the returned function is called. */
  readonly onReconnect: (listener: () => void) => () => void;
}

/**
 * An ordered push consumer. The client library has one too, but waits up to a minute before it notices that a restarted server
 * forgot its consumer, and never notices that a stream of the same name is another one. This one makes itself a new consumer,
 * behind the last message it passed on, at every reconnect, gap, silence or deletion, and each time compares the stream's
 * creation time and length with what it knew.
 */
export class OrderedDelivery implements Subscription {
  readonly caughtUp: Promise<void>;
  private readonly queue = new DeliveryQueue<DeliveredMessage>();
  private readonly stopListening: () => void;
  private readonly watch: NodeJS.Timeout;
  private markCaughtUp!: () => void;
  private failCaughtUp!: (error: Error) => void;
  private created: string | null = null;
  /** Newest sequence put into the queue; null until the first consumer of a follow from 'new' or 'last-per-subject' exists. */
  private cursor: number | null;
  private received = 0;
  private taken = 0;
  /** How many messages make up what was there at the start. */
  private goal = Number.POSITIVE_INFINITY;
  private generation = 0;
  private consumer: { readonly name: string; readonly inbox: NatsSubscription } | null = null;
  private lastHeard = performance.now();
  private closed = false;

  constructor(
    private readonly source: DeliverySource,
    private readonly stream: string,
    private readonly options: FollowOptions & { readonly stopAtTail?: boolean },
  ) {
    this.cursor = typeof options.from === 'number' ? Math.max(0, options.from - 1) : null;
    this.caughtUp = new Promise((resolve, reject) => {
      this.markCaughtUp = resolve;
      this.failCaughtUp = reject;
    });
    // Whoever iterates sees the failure; whoever only iterates must not die of the second copy.
    this.caughtUp.catch(() => {});
    this.stopListening = source.onReconnect(() => this.restart());
    this.watch = setInterval(() => this.restartIfSilent(), HEARTBEAT_MS);
    this.watch.unref();
    this.restart();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<DeliveredMessage> {
    try {
      for (;;) {
        if (this.options.stopAtTail && this.taken >= this.goal) return;
        const message = await this.queue.take();
        if (message === null) return;
        yield message;
        this.taken += 1;
        if (this.taken >= this.goal) this.markCaughtUp();
      }
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.end(null);
  }

  private restart(): void {
    if (this.closed) return;
    this.generation += 1;
    this.forgetConsumer();
    void this.createConsumer(this.generation);
  }

  private restartIfSilent(): void {
    if (this.source.connection.isClosed()) {
      this.end(new Unavailable(`following ${this.stream} ended: the connection was closed`));
      return;
    }
    if (performance.now() - this.lastHeard <= SILENCE_MS) return;
    if (this.options.stopAtTail && !this.source.isConnected()) this.giveUp();
    else if (this.consumer !== null && this.source.isConnected()) this.restart();
  }

  /** Whoever reads a range waits for its end; whoever follows has nothing better to do than to wait for the server. */
  private giveUp(cause?: unknown): void {
    this.end(new Unavailable(`reading ${this.stream} was cut off: nats-server is away`, { cause }));
  }

  private async createConsumer(generation: number): Promise<void> {
    let missing = 0;
    for (let attempt = 0; this.isCurrent(generation); attempt++) {
      try {
        return await this.tryToCreate(generation);
      } catch (error) {
        if (!this.isCurrent(generation)) return;
        if (error instanceof StreamReplaced || error instanceof DeliveryBroken) return this.end(error);
        if (isStreamMissing(error) && ++missing === MISSING_TRIES)
          return this.end(new StreamMissing(this.stream));
        if (this.options.stopAtTail && attempt === RANGE_TRIES) {
          this.giveUp(error);
          return;
        }
        if (isRefused(error))
          return this.end(
            new DeliveryBroken(`cannot follow ${this.stream}: ${(error as Error).message}`, { cause: error }),
          );
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
    }
  }

  private async tryToCreate(generation: number): Promise<void> {
    const subject = createInbox(this.source.inboxPrefix);
    const name = `hg_${subject.slice(subject.lastIndexOf('.') + 1)}`;
    let deliveries = 0;
    let held: Msg[] | null = [];
    const receive = (message: Msg): void => {
      this.lastHeard = performance.now();
      const info = readDeliveryInfo(message.reply);
      if (info === null) {
        this.receiveStatus(message, deliveries, generation);
        return;
      }
      if (info.deliverySequence !== deliveries + 1) {
        this.restart();
        return;
      }
      deliveries += 1;
      this.cursor = info.streamSequence;
      this.received += 1;
      this.queue.push({
        subject: message.subject,
        sequence: info.streamSequence,
        data: message.data,
        time: info.time,
        pending: info.pending,
      });
    };
    const inbox = this.source.connection.subscribe(subject, {
      callback: (error, message) => {
        if (!this.isCurrent(generation)) return;
        if (error)
          return this.end(
            new DeliveryBroken(`delivery of ${this.stream} failed: ${error.message}`, { cause: error }),
          );
        if (held) held.push(message);
        else receive(message);
      },
    });
    try {
      const made = await this.source.manager.consumers.add(this.stream, this.consumerConfig(name, subject));
      // Asked for after the consumer exists: if the stream were replaced later, its consumer would go with it.
      const stream = await this.source.manager.streams.info(this.stream);
      if (!this.isCurrent(generation)) return inbox.unsubscribe();
      this.checkStream(stream.created, stream.state.last_seq);
      this.cursor ??= this.options.from === 'new' ? made.delivered.stream_seq : 0;
      if (this.taken < this.goal) this.setGoal(this.received + made.num_pending);
      this.consumer = { name, inbox };
      this.lastHeard = performance.now();
      const early = held;
      held = null;
      for (const message of early) if (this.isCurrent(generation)) receive(message);
    } catch (error) {
      inbox.unsubscribe();
      throw error;
    }
  }

  private consumerConfig(name: string, subject: string): Partial<ConsumerConfig> {
    const start: Partial<ConsumerConfig> =
      this.cursor !== null
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.cursor + 1 }
        : { deliver_policy: this.options.from === 'new' ? DeliverPolicy.New : DeliverPolicy.LastPerSubject };
    // A last-per-subject consumer without a filter is refused.
    const filter =
      this.options.filter ?? (start.deliver_policy === DeliverPolicy.LastPerSubject ? '>' : undefined);
    return {
      ...start,
      ...(filter === undefined ? {} : { filter_subject: filter }),
      name,
      deliver_subject: subject,
      ack_policy: AckPolicy.None,
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      inactive_threshold: nanos(30_000),
    };
  }

  private checkStream(created: string, lastSequence: number): void {
    if (this.created !== null && this.created !== created)
      throw new StreamReplaced(this.stream, `was created anew at ${created}; it was of ${this.created}`);
    this.created = created;
    if (this.received > 0 && this.cursor !== null && lastSequence < this.cursor)
      throw new StreamReplaced(
        this.stream,
        `ends at ${lastSequence}, but message ${this.cursor} was delivered: it lost its tail`,
      );
  }

  private receiveStatus(message: Msg, deliveries: number, generation: number): void {
    if (message.reply) {
      // Flow control: the server sends on when we say that the messages before this one were taken.
      this.queue.whenTaken(() => {
        if (this.isCurrent(generation)) message.respond();
      });
      return;
    }
    if (message.headers?.code !== 100) {
      this.restart();
      return;
    }
    const stalled = message.headers.get('Nats-Consumer-Stalled');
    if (stalled) {
      this.queue.whenTaken(() => {
        if (this.isCurrent(generation)) this.source.connection.publish(stalled);
      });
    }
    // A heartbeat tells how many were sent: more than we got means that some were lost on the way.
    if (Number(message.headers.get('Nats-Last-Consumer') || 0) !== deliveries) this.restart();
  }

  private setGoal(goal: number): void {
    this.goal = goal;
    if (this.taken < goal) return;
    this.markCaughtUp();
    if (this.options.stopAtTail) this.end(null);
  }

  private isCurrent(generation: number): boolean {
    return !this.closed && generation === this.generation;
  }

  private forgetConsumer(): void {
    const { consumer } = this;
    this.consumer = null;
    if (consumer === null || this.source.connection.isClosed()) return;
    consumer.inbox.unsubscribe();
    // Only good manners: without a listener the server forgets it after its inactive threshold.
    if (this.source.isConnected())
      this.source.manager.consumers.delete(this.stream, consumer.name).catch(() => {});
  }

  private end(failure: Error | null): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.watch);
    this.stopListening();
    this.forgetConsumer();
    this.queue.end(failure);
    if (failure !== null) this.failCaughtUp(failure);
    else if (this.taken >= this.goal) this.markCaughtUp();
    else this.failCaughtUp(new DeliveryBroken(`following ${this.stream} was closed before it caught up`));
  }
}

const isStreamMissing = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;

/** The server understood and will not: trying again gives the same answer. */
const isRefused = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.status >= 400 && error.status < 500 && !isStreamMissing(error);
