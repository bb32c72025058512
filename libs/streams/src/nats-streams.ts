import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  type MsgRequest,
  type StoredMsg,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { OutcomeUnknown, StreamMismatch, StreamNotAsDeclared, Unavailable } from './errors.js';
import { type DeliverySource, OrderedDelivery } from './ordered-delivery.js';
import { isNoResponders, publishFailure } from './publish-failure.js';
import { describeStream, differencesFrom, toStreamConfig } from './stream-config.js';
import type {
  ConnectionStatus,
  DeliveredMessage,
  FollowOptions,
  PublishAck,
  PublishOptions,
  ServerInfo,
  StoredMessage,
  StreamDeclaration,
  StreamDescription,
  Streams,
  Subscription,
} from './streams.js';

const PUBLISH_TIMEOUT_MS = 5_000;
/** "stream name already in use with a different configuration". */
const NAME_IN_USE = 10058;

export class NatsStreams implements Streams, DeliverySource {
  readonly serverInfo: ServerInfo;
  readonly inboxPrefix: string;
  status: ConnectionStatus = 'connected';
  connectionNumber = 1;
  private readonly reconnectListeners = new Set<() => void>();
  private readonly inFlight = new Set<(error: Error) => void>();

  constructor(
    readonly connection: NatsConnection,
    private readonly client: JetStreamClient,
    readonly manager: JetStreamManager,
    account: { readonly domain: string; readonly inboxPrefix: string },
    private readonly onStatus: (status: ConnectionStatus) => void = () => {},
  ) {
    this.inboxPrefix = account.inboxPrefix;
    const info = connection.info;
    this.serverInfo = {
      name: info?.server_name ?? '',
      version: info?.version ?? '',
      domain: account.domain,
      maxPayload: info?.max_payload ?? 0,
    };
    void this.watchConnection();
  }

  readonly isConnected = (): boolean => this.status === 'connected';

  async declare(declaration: StreamDeclaration): Promise<StreamDescription> {
    const { first_seq, ...config } = toStreamConfig(declaration);
    let info = await this.streamInfo(declaration.name);
    if (info === null) {
      const wanted = first_seq === undefined ? config : { ...config, first_seq };
      info = await this.manager.streams.add(wanted).catch(async (error: unknown) => {
        // Somebody else created it between our two requests: what counts is whether it is as declared.
        if (error instanceof JetStreamApiError && error.code === NAME_IN_USE)
          return this.streamInfo(declaration.name);
        throw this.readFailure(`cannot create stream ${declaration.name}`, error);
      });
    } else if (differencesFrom(declaration, describeStream(info).config).length > 0) {
      const found = describeStream(info).config;
      info = await this.manager.streams.update(declaration.name, config).catch((error: unknown) => {
        if (error instanceof JetStreamApiError)
          throw new StreamNotAsDeclared(declaration.name, [
            ...differencesFrom(declaration, found),
            error.message,
          ]);
        throw this.readFailure(`cannot update stream ${declaration.name}`, error);
      });
    }
    if (info === null) throw new Unavailable(`stream ${declaration.name} vanished while it was declared`);
    const described = describeStream(info);
    const differences = differencesFrom(declaration, described.config);
    if (differences.length > 0) throw new StreamNotAsDeclared(declaration.name, differences);
    return described;
  }

  async info(stream: string): Promise<StreamDescription | null> {
    const info = await this.streamInfo(stream);
    return info === null ? null : describeStream(info);
  }

  async publish(subject: string, data: Uint8Array, options: PublishOptions): Promise<PublishAck> {
    // The client would keep it until it is connected again, and send it long after we had given up.
    this.mustBeConnected(`cannot publish ${subject}`);
    try {
      const ack = await this.untilLost(
        this.client.publish(subject, data, {
          timeout: options.timeoutMs ?? PUBLISH_TIMEOUT_MS,
          ...(options.msgId === undefined ? {} : { msgID: options.msgId }),
          expect: {
            streamName: options.expectStream,
            ...(options.expectLastSequence === undefined
              ? {}
              : { lastSubjectSequence: options.expectLastSequence }),
            ...(options.expectFilter === undefined
              ? {}
              : { lastSubjectSequenceSubject: options.expectFilter }),
          },
        }),
      );
      if (ack.stream !== options.expectStream || (ack.domain ?? '') !== this.serverInfo.domain)
        throw new StreamMismatch(
          `${subject} was stored by ${ack.stream} of domain "${ack.domain ?? ''}", not by ${options.expectStream} of "${this.serverInfo.domain}": check accounts and leaf nodes`,
        );
      return { sequence: ack.seq, duplicate: ack.duplicate };
    } catch (error) {
      if (error instanceof StreamMismatch || error instanceof OutcomeUnknown) throw error;
      throw publishFailure(subject, options.expectStream, error);
    }
  }

  last(stream: string, filter: string): Promise<StoredMessage | null> {
    return this.fetch(stream, { last_by_subj: filter });
  }

  get(stream: string, sequence: number): Promise<StoredMessage | null> {
    return this.fetch(stream, { seq: sequence });
  }

  readRange(
    stream: string,
    options: { readonly filter?: string; readonly from: number },
  ): AsyncIterable<DeliveredMessage> {
    return {
      [Symbol.asyncIterator]: () =>
        new OrderedDelivery(this, stream, { ...options, stopAtTail: true })[Symbol.asyncIterator](),
    };
  }

  follow(stream: string, options: FollowOptions): Subscription {
    return new OrderedDelivery(this, stream, options);
  }

  publishCore(subject: string, data: Uint8Array): void {
    if (this.status === 'connected') this.connection.publish(subject, data);
  }

  subscribeCore(subject: string, onMessage: (subject: string, data: Uint8Array) => void): () => void {
    const subscription = this.connection.subscribe(subject, {
      callback: (error, message) => {
        if (!error) onMessage(message.subject, message.data);
      },
    });
    return () => subscription.unsubscribe();
  }

  async ask(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    try {
      const answer = await this.connection.request(subject, data, { timeout: timeoutMs });
      return answer.data;
    } catch (cause) {
      throw new Unavailable(`nobody answers on ${subject}: ${(cause as Error).message}`, { cause });
    }
  }

  answer(subject: string, onAsked: (data: Uint8Array) => Promise<Uint8Array>): () => void {
    const subscription = this.connection.subscribe(subject, {
      queue: subject,
      callback: (error, message) => {
        if (!error) void onAsked(message.data).then((data) => message.respond(data));
      },
    });
    return () => subscription.unsubscribe();
  }

  onReconnect(listener: () => void): () => void {
    const own = () => listener();
    this.reconnectListeners.add(own);
    return () => this.reconnectListeners.delete(own);
  }

  rtt(): Promise<number> {
    return this.connection.rtt();
  }

  async close(): Promise<void> {
    if (this.status === 'closed') return;
    this.setStatus('closed');
    // Drain lets what was already published out; a server that is away must not keep us.
    if (this.connection.isClosed()) return;
    const drained = this.connection.drain().catch(() => this.connection.close());
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      drained,
      new Promise((resolve) => {
        timer = setTimeout(resolve, 2_000);
      }),
    ]);
    clearTimeout(timer);
    await this.connection.close();
  }

  /** The client lets a request run into its timeout when the connection that carried it is lost; nobody should wait for that. */
  private async untilLost<T>(request: Promise<T>): Promise<T> {
    let giveUp!: (error: Error) => void;
    const lost = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    this.inFlight.add(giveUp);
    try {
      return await Promise.race([lost, request]);
    } finally {
      this.inFlight.delete(giveUp);
    }
  }

  private async fetch(stream: string, request: MsgRequest): Promise<StoredMessage | null> {
    this.mustBeConnected(`cannot read ${stream}`);
    try {
      // Not the direct API: that may be answered by a replica that has not the newest message.
      const found = await this.untilLost(this.manager.streams.getMessage(stream, request));
      return found === null ? null : storedMessage(found);
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.NoMessageFound) return null;
      throw this.readFailure(`cannot read ${stream}`, error);
    }
  }

  private async streamInfo(stream: string) {
    this.mustBeConnected(`cannot describe stream ${stream}`);
    try {
      return await this.untilLost(this.manager.streams.info(stream));
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return null;
      throw this.readFailure(`cannot describe stream ${stream}`, error);
    }
  }

  private readFailure(what: string, cause: unknown): Error {
    const why = isNoResponders(cause) ? 'JetStream is away' : (cause as Error).message;
    return new Unavailable(`${what}: ${why}`, { cause });
  }

  private mustBeConnected(what: string): void {
    if (this.status !== 'connected') throw new Unavailable(`${what}: not connected to nats-server`);
  }

  private async watchConnection(): Promise<void> {
    for await (const event of this.connection.status()) {
      if (event.type === 'disconnect') {
        this.setStatus('disconnected');
        this.connectionNumber += 1;
        this.loseInFlight('the connection was lost');
      } else if (event.type === 'reconnect') {
        this.setStatus('connected');
        for (const listener of [...this.reconnectListeners]) listener();
      }
    }
    this.setStatus('closed');
    this.loseInFlight('the connection was closed');
  }

  private loseInFlight(why: string): void {
    for (const giveUp of this.inFlight) giveUp(new OutcomeUnknown(`no answer: ${why}`));
    this.inFlight.clear();
  }

  private setStatus(status: ConnectionStatus): void {
    if (this.status === status || this.status === 'closed') return;
    this.status = status;
    this.onStatus(status);
  }
}

const storedMessage = (found: StoredMsg): StoredMessage => {
  const msgId = found.header?.get('Nats-Msg-Id');
  return {
    subject: found.subject,
    sequence: found.seq,
    data: found.data,
    time: found.time.getTime(),
    ...(msgId ? { msgId } : {}),
  };
};
