import { type ClientLimits, type ClientSocket, type Fresh, StreamClient } from './stream-client.js';

export interface FanoutOptions {
  readonly now: () => number;
  /** What is sent within this time goes out in one write, unless it is urgent. */
  readonly tickMs?: number;
  readonly client?: Partial<ClientLimits>;
  /** Clients written to before other work gets its turn. */
  readonly sliceSize?: number;
}

interface Send {
  readonly number: number;
  readonly bytes: Buffer;
}

const CLIENT_LIMITS: ClientLimits = { maxBufferedBytes: 1_048_576, stalledMs: 30_000 };
const HEARTBEAT = Buffer.from(':\n\n');

/** The same bytes to many sockets: in order for each, in slices, and none of them waits for another. */
export class Fanout {
  private readonly clients = new Set<StreamClient>();
  private readonly limits: ClientLimits;
  private readonly tickMs: number;
  private readonly sliceSize: number;
  private gathered: Buffer[] = [];
  private gatheredBytes = 0;
  private nextFlushAt = 0;
  private timer: NodeJS.Timeout | null = null;
  private readonly queue: Send[] = [];
  private isSending = false;
  private sends = 0;

  /** `read` gives what takes the place of everything that a client has missed. */
  constructor(
    private readonly options: FanoutOptions,
    private readonly read: () => Buffer | null,
  ) {
    this.limits = { ...CLIENT_LIMITS, ...options.client };
    this.tickMs = options.tickMs ?? 4;
    this.sliceSize = options.sliceSize ?? 500;
  }

  get clientCount(): number {
    return this.clients.size;
  }

  /** `first` is asked once everything sent before is on its way: what it gives is never sent again. Returns what lets the client go. */
  join(socket: ClientSocket, first: () => Buffer | null): () => void {
    this.flush();
    const client = new StreamClient(socket, this.limits, this.sends, () => this.fresh());
    this.clients.add(client);
    const bytes = first();
    if (bytes !== null) client.send(bytes, this.options.now());
    return () => this.clients.delete(client);
  }

  send(bytes: Buffer, isUrgent: boolean): void {
    this.gathered.push(bytes);
    this.gatheredBytes += bytes.length;
    // A burst must not become one write that no limit per client could see.
    const isBurst = this.gatheredBytes * 4 > this.limits.maxBufferedBytes;
    const waitMs = isUrgent || isBurst ? 0 : this.nextFlushAt - this.options.now();
    // After a quiet moment the first goes out at once; only what follows closely is gathered.
    if (waitMs <= 0) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), Math.min(waitMs, this.tickMs));
  }

  /** A comment to everybody: proof that the connection lives, and the moment when dead ones are found. */
  heartbeat(): void {
    this.send(HEARTBEAT, true);
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    for (const client of this.clients) client.end();
    this.clients.clear();
  }

  private fresh(): Fresh {
    this.flush();
    return { state: this.read(), joinedAt: this.sends };
  }

  private flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (this.gathered.length === 0) return;
    const bytes = this.gathered.length === 1 ? this.gathered[0]! : Buffer.concat(this.gathered);
    this.gathered = [];
    this.gatheredBytes = 0;
    this.nextFlushAt = this.options.now() + this.tickMs;
    this.queue.push({ number: this.sends, bytes });
    this.sends += 1;
    if (!this.isSending) this.next();
  }

  /** One write after the other, in slices, so that ten thousand sockets do not hold up everything else. */
  private next(): void {
    const send = this.queue.shift();
    this.isSending = send !== undefined;
    if (send !== undefined) this.slice(send, this.clients.values());
  }

  private slice(send: Send, clients: IterableIterator<StreamClient>): void {
    const now = this.options.now();
    for (let i = 0; i < this.sliceSize; i += 1) {
      const { value: client, done } = clients.next();
      if (done) {
        this.next();
        return;
      }
      if (client.isGone) this.clients.delete(client);
      else if (client.needs(send.number)) client.send(send.bytes, now);
    }
    setImmediate(() => this.slice(send, clients));
  }
}
