/** What a broadcast needs of a connection; a `net.Socket` is one. */
export interface ClientSocket {
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(bytes: Buffer): boolean;
  destroy(): unknown;
  once(event: 'drain', listener: () => void): unknown;
}

export interface ClientLimits {
  /** Unread bytes at which a client gets nothing more until it has read them. */
  readonly maxBufferedBytes: number;
  /** A client that read nothing for this long after that is cut off. */
  readonly stalledMs: number;
}

export interface Fresh {
  readonly state: Buffer | null;
  /** Number of the first broadcast that is not part of `state`. */
  readonly joinedAt: number;
}

/**
 * One client of a channel. Never holds more than the limit and one state: a client that does not read is left behind, and when
 * it reads again it gets the state of that moment in place of everything it missed.
 */
export class StreamClient {
  private stalledAt: number | null = null;

  constructor(
    private readonly socket: ClientSocket,
    private readonly limits: ClientLimits,
    private joinedAt: number,
    private readonly rejoin: () => Fresh,
  ) {}

  /** Whether broadcast `number` is not already part of what the client was given when it joined. */
  needs(number: number): boolean {
    return number >= this.joinedAt;
  }

  get isStalled(): boolean {
    return this.stalledAt !== null;
  }

  get isGone(): boolean {
    return this.socket.destroyed;
  }

  send(bytes: Buffer, now: number): void {
    if (this.stalledAt !== null) {
      if (now - this.stalledAt > this.limits.stalledMs) this.socket.destroy();
      return;
    }
    const waiting = this.socket.writableLength;
    // What finds an empty buffer is written, however large: a state must be able to get through.
    if (waiting > 0 && waiting + bytes.length > this.limits.maxBufferedBytes) this.stall(now);
    else this.socket.write(bytes);
  }

  end(): void {
    this.socket.destroy();
  }

  private stall(now: number): void {
    this.stalledAt = now;
    this.socket.once('drain', () => {
      if (this.socket.destroyed) return;
      this.stalledAt = null;
      const { state, joinedAt } = this.rejoin();
      this.joinedAt = joinedAt;
      if (state !== null) this.socket.write(state);
    });
  }
}
