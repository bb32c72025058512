import {
  PublishRefused,
  StreamMismatch,
  StreamMissing,
  StreamNotAsDeclared,
  StreamReplaced,
  Unavailable,
  WrongLastSequence,
} from './errors.js';
import { MemoryDelivery } from './memory-delivery.js';
import { differencesFrom } from './stream-config.js';
import type {
  ConnectionStatus,
  DeliveredMessage,
  FollowOptions,
  PublishAck,
  PublishOptions,
  StoredMessage,
  StreamDeclaration,
  StreamDescription,
  Streams,
  Subscription,
} from './streams.js';
import { subjectMatches } from './subject-match.js';

interface MemoryStream {
  readonly declaration: StreamDeclaration;
  readonly created: string;
  messages: StoredMessage[];
  lastSequence: number;
  readonly followers: Set<MemoryDelivery>;
}

/** The twin for specs: the rules of a stream without a server. It has what a server's operator could do to it, too. */
export interface MemoryStreams extends Streams {
  /** As `nats stream rm`: its followers end. */
  remove(stream: string): void;
  /** As after a power loss without sync: what came after `sequence` never was. */
  loseTail(stream: string, sequence: number): void;
  /** As when the server goes away, and comes back. */
  disconnect(): void;
  reconnect(): void;
}

export const openMemoryStreams = (options: { readonly now: () => number }): MemoryStreams =>
  new InMemoryStreams(options.now);

class InMemoryStreams implements MemoryStreams {
  readonly serverInfo = { name: 'memory', version: '2.15.1', domain: '', maxPayload: 1_048_576 };
  status: ConnectionStatus = 'connected';
  connectionNumber = 1;
  private readonly streams = new Map<string, MemoryStream>();
  private readonly coreListeners = new Set<{
    filter: string;
    onMessage: (subject: string, data: Uint8Array) => void;
  }>();
  private readonly answerers = new Map<string, Set<(data: Uint8Array) => Promise<Uint8Array>>>();
  private readonly reconnectListeners = new Set<() => void>();
  private createdCount = 0;

  constructor(private readonly now: () => number) {}

  async declare(declaration: StreamDeclaration): Promise<StreamDescription> {
    this.mustBeConnected();
    const { firstSequence, ...config } = declaration;
    const found = this.streams.get(declaration.name);
    if (found === undefined) {
      this.createdCount += 1;
      const nanos = String(this.createdCount).padStart(9, '0');
      this.streams.set(declaration.name, {
        declaration: config,
        created: new Date(this.now()).toISOString().replace(/\.\d+Z$/, `.${nanos}Z`),
        messages: [],
        lastSequence: (firstSequence ?? 1) - 1,
        followers: new Set(),
      });
    } else {
      const differences = differencesFrom(declaration, found.declaration);
      if (differences.length > 0) throw new StreamNotAsDeclared(declaration.name, differences);
    }
    return this.describe(this.stream(declaration.name));
  }

  async info(name: string): Promise<StreamDescription | null> {
    this.mustBeConnected();
    const stream = this.streams.get(name);
    return stream === undefined ? null : this.describe(stream);
  }

  async publish(subject: string, data: Uint8Array, options: PublishOptions): Promise<PublishAck> {
    this.mustBeConnected();
    const keeper = [...this.streams.values()].find((stream) =>
      stream.declaration.subjects.some((filter) => subjectMatches(filter, subject)),
    );
    if (keeper === undefined) throw new Unavailable(`nobody keeps ${subject}`);
    if (keeper.declaration.name !== options.expectStream)
      throw new StreamMismatch(`${subject} is kept by another stream than ${options.expectStream}`);
    const limit = keeper.declaration.maxMessageBytes;
    if (limit !== undefined && data.length > limit)
      throw new PublishRefused(
        `${subject} was refused by ${options.expectStream}: message size exceeds maximum allowed`,
      );
    if (options.expectLastSequence !== undefined) {
      const newest = newestMatching(keeper, options.expectFilter ?? subject)?.sequence ?? 0;
      if (newest !== options.expectLastSequence)
        throw new WrongLastSequence(`${subject}: wrong last sequence: ${newest}`);
    }
    const known = options.msgId && keeper.messages.find((message) => message.msgId === options.msgId);
    if (known) return { sequence: known.sequence, duplicate: true };
    keeper.lastSequence += 1;
    const message: StoredMessage = {
      subject,
      sequence: keeper.lastSequence,
      data: new Uint8Array(data),
      time: this.now(),
      ...(options.msgId === undefined ? {} : { msgId: options.msgId }),
    };
    keep(keeper, message);
    for (const follower of keeper.followers) follower.offer(message, 0);
    return { sequence: message.sequence, duplicate: false };
  }

  async last(name: string, filter: string): Promise<StoredMessage | null> {
    this.mustBeConnected();
    return newestMatching(this.stream(name), filter) ?? null;
  }

  async get(name: string, sequence: number): Promise<StoredMessage | null> {
    this.mustBeConnected();
    return this.stream(name).messages.find((message) => message.sequence === sequence) ?? null;
  }

  async *readRange(
    name: string,
    options: { readonly filter?: string; readonly from: number },
  ): AsyncIterable<DeliveredMessage> {
    this.mustBeConnected();
    const wanted = this.stream(name).messages.filter(
      (message) => message.sequence >= options.from && subjectMatches(options.filter ?? '>', message.subject),
    );
    for (const [index, message] of wanted.entries()) yield { ...message, pending: wanted.length - index - 1 };
  }

  follow(name: string, options: FollowOptions): Subscription {
    const stream = this.streams.get(name);
    const delivery = new MemoryDelivery(options.filter ?? '>', (own) => stream?.followers.delete(own));
    if (stream === undefined) delivery.end(new StreamMissing(name));
    else {
      stream.followers.add(delivery);
      delivery.start(startingMessages(stream, options));
    }
    return delivery;
  }

  publishCore(subject: string, data: Uint8Array): void {
    if (this.status !== 'connected') return;
    for (const { filter, onMessage } of [...this.coreListeners])
      if (subjectMatches(filter, subject)) queueMicrotask(() => onMessage(subject, data));
  }

  subscribeCore(filter: string, onMessage: (subject: string, data: Uint8Array) => void): () => void {
    const listener = { filter, onMessage };
    this.coreListeners.add(listener);
    return () => this.coreListeners.delete(listener);
  }

  async ask(subject: string, data: Uint8Array): Promise<Uint8Array> {
    const onAsked = this.answerers.get(subject)?.values().next().value;
    if (this.status !== 'connected' || !onAsked) throw new Unavailable(`nobody answers on ${subject}`);
    return onAsked(data);
  }

  answer(subject: string, onAsked: (data: Uint8Array) => Promise<Uint8Array>): () => void {
    const answerers = this.answerers.get(subject) ?? new Set();
    this.answerers.set(subject, answerers);
    answerers.add(onAsked);
    return () => answerers.delete(onAsked);
  }

  onReconnect(listener: () => void): () => void {
    const own = () => listener();
    this.reconnectListeners.add(own);
    return () => this.reconnectListeners.delete(own);
  }

  async rtt(): Promise<number> {
    this.mustBeConnected();
    return 0;
  }

  async close(): Promise<void> {
    this.status = 'closed';
    for (const stream of this.streams.values())
      for (const follower of [...stream.followers]) follower.end(null);
  }

  remove(name: string): void {
    const stream = this.stream(name);
    this.streams.delete(name);
    for (const follower of [...stream.followers]) follower.end(new StreamReplaced(name, 'was deleted'));
  }

  loseTail(name: string, sequence: number): void {
    const stream = this.stream(name);
    this.disconnect();
    stream.messages = stream.messages.filter((message) => message.sequence <= sequence);
    stream.lastSequence = sequence;
    for (const follower of [...stream.followers])
      if (follower.cursor > sequence)
        follower.end(new StreamReplaced(name, `ends at ${sequence}: it lost its tail`));
    this.reconnect();
  }

  disconnect(): void {
    this.status = 'disconnected';
    this.connectionNumber += 1;
  }

  reconnect(): void {
    this.status = 'connected';
    for (const listener of [...this.reconnectListeners]) listener();
  }

  private stream(name: string): MemoryStream {
    const stream = this.streams.get(name);
    if (stream === undefined) throw new Unavailable(`cannot read ${name}: stream not found`);
    return stream;
  }

  private mustBeConnected(): void {
    if (this.status !== 'connected') throw new Unavailable('not connected to the in-memory streams');
  }

  private describe(stream: MemoryStream): StreamDescription {
    const { messages } = stream;
    return {
      name: stream.declaration.name,
      created: stream.created,
      firstSequence: messages[0]?.sequence ?? stream.lastSequence + 1,
      lastSequence: stream.lastSequence,
      messages: messages.length,
      bytes: messages.reduce((sum, message) => sum + message.data.length, 0),
      subjectCount: new Set(messages.map((message) => message.subject)).size,
      config: stream.declaration,
    };
  }
}

const keep = (stream: MemoryStream, message: StoredMessage): void => {
  const perSubject = stream.declaration.maxMessagesPerSubject;
  if (perSubject !== undefined) {
    const same = stream.messages.filter((other) => other.subject === message.subject);
    const dropped = new Set(same.slice(0, Math.max(0, same.length - perSubject + 1)));
    stream.messages = stream.messages.filter((other) => !dropped.has(other));
  }
  stream.messages.push(message);
};

const newestMatching = (stream: MemoryStream, filter: string): StoredMessage | undefined =>
  stream.messages.findLast((message) => subjectMatches(filter, message.subject));

const startingMessages = (stream: MemoryStream, options: FollowOptions): readonly StoredMessage[] => {
  const { from } = options;
  if (from === 'new') return [];
  if (typeof from === 'number') return stream.messages.filter((message) => message.sequence >= from);
  const newest = new Map(stream.messages.map((message) => [message.subject, message]));
  return [...newest.values()].sort((a, b) => a.sequence - b.sequence);
};
