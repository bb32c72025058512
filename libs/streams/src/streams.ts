/** A stream as this installation wants it. Everything named here is read back and compared: old servers ignore what they do not know. */
export interface StreamDeclaration {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly description?: string;
  readonly maxMessagesPerSubject?: number;
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
  readonly maxMessageBytes?: number;
  /** At its limits: take nothing new, or let the oldest go. */
  readonly whenFull: 'refuse' | 'drop-oldest';
  readonly duplicateWindowMs: number;
  readonly denyDelete: boolean;
  readonly denyPurge: boolean;
  readonly replicas?: number;
  /** Used at creation only: the sequence its first message gets. */
  readonly firstSequence?: number;
}

export interface StreamDescription {
  readonly name: string;
  /** RFC 3339, as the server gives it: another value means another stream, whatever its name. */
  readonly created: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly messages: number;
  readonly bytes: number;
  readonly subjectCount: number;
  readonly config: Omit<StreamDeclaration, 'firstSequence'>;
}

export interface StoredMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly data: Uint8Array;
  /** Milliseconds since the Unix epoch, by the server's clock. */
  readonly time: number;
  readonly msgId?: string;
}

export interface DeliveredMessage extends StoredMessage {
  /** How many messages were still to come when this one was sent; 0 means that this was the newest. */
  readonly pending: number;
}

export interface PublishOptions {
  /** Name of the stream that must store it. */
  readonly expectStream: string;
  /** Sequence of the newest message on `expectFilter` (default: the subject itself); 0 for none. */
  readonly expectLastSequence?: number;
  /** May have wildcards, and must cover the subject. */
  readonly expectFilter?: string;
  /** Only a second net: see the stream's duplicate window. */
  readonly msgId?: string;
  readonly timeoutMs?: number;
}

export interface PublishAck {
  readonly sequence: number;
  /** True: the server dropped this message because its id is in the duplicate window. `sequence` is of the one it kept. */
  readonly duplicate: boolean;
}

export interface FollowOptions {
  readonly filter?: string;
  /** First sequence to deliver; the newest message of each subject and then all that follows; or only what follows. */
  readonly from: number | 'last-per-subject' | 'new';
}

/**
 * Messages in stream order, without gap or repeat, across reconnects of the client and restarts of the server. Iterate once.
 * Ends by throwing when order or completeness can no longer be kept (`StreamReplaced`, `DeliveryBroken`), quietly on `close`.
 */
export interface Subscription extends AsyncIterable<DeliveredMessage> {
  /** Resolves when everything that was in the stream at the start has been taken by the iterating side. */
  readonly caughtUp: Promise<void>;
  close(): Promise<void>;
}

export type ConnectionStatus = 'connected' | 'disconnected' | 'closed';

export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  /** JetStream domain of the account this connection uses; '' when the server has none. */
  readonly domain: string;
  readonly maxPayload: number;
}

/** Everything the rest of Headgate may do with NATS. Two makes: `connectStreams` and, for specs, `openMemoryStreams`. */
export interface Streams {
  readonly serverInfo: ServerInfo;
  readonly status: ConnectionStatus;
  /** Grows with every lost connection; what was learnt under a smaller number may have changed meanwhile. */
  readonly connectionNumber: number;
  /** Creates the stream or brings its changeable settings up to date, then reads it back. Throws `StreamNotAsDeclared`. */
  declare(declaration: StreamDeclaration): Promise<StreamDescription>;
  /** Null when there is no such stream. */
  info(stream: string): Promise<StreamDescription | null>;
  /** Resolves when the stream stored it, synced as far as the server's settings say. */
  publish(subject: string, data: Uint8Array, options: PublishOptions): Promise<PublishAck>;
  /** Newest message whose subject matches, as the stream's leader sees it. */
  last(stream: string, filter: string): Promise<StoredMessage | null>;
  get(stream: string, sequence: number): Promise<StoredMessage | null>;
  /** From a sequence to what is the tail when it starts; then ends. Throws `Unavailable` when the server stays away. */
  readRange(
    stream: string,
    options: { readonly filter?: string; readonly from: number },
  ): AsyncIterable<DeliveredMessage>;
  follow(stream: string, options: FollowOptions): Subscription;
  /** Not stored, not acknowledged: for what may be lost. */
  publishCore(subject: string, data: Uint8Array): void;
  /** Returns what ends the subscription. */
  subscribeCore(subject: string, onMessage: (subject: string, data: Uint8Array) => void): () => void;
  /** Asks whoever answers on the subject. Throws `Unavailable` when nobody does, or not in time. */
  ask(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** Answers what is asked; of several that answer on a subject one is chosen. Returns what ends it. */
  answer(subject: string, onAsked: (data: Uint8Array) => Promise<Uint8Array>): () => void;
  /** Returns what takes the listener away. */
  onReconnect(listener: () => void): () => void;
  /** Milliseconds to the server and back. */
  rtt(): Promise<number>;
  close(): Promise<void>;
}
