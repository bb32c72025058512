/** What a request's share is charged before it has a byte: its headers and what HTTP/2 keeps of it. */
const OPEN_BYTES = 4_096;

export interface RequestShare {
  /** What the request holds from now on. */
  hold(bytes: number): void;
  /** Gives everything back; may be called again. */
  end(): void;
}

/**
 * Bytes that unfinished requests of all callers hold together. Who needs no token must not fill the memory, nor keep others out by it:
 * when there are too many, the oldest are let go of. A caller that means it has sent its few bytes long before it is the oldest.
 */
export class RequestBudget {
  private held = 0;
  /** In the order in which they were opened. */
  private readonly shares = new Map<RequestShare, { bytes: number; readonly onLost: () => void }>();

  constructor(private readonly maxBytes: number) {}

  get heldBytes(): number {
    return this.held;
  }

  /** `onLost`: the request has to let go of what it holds. */
  open(onLost: () => void): RequestShare {
    const share: RequestShare = {
      hold: (bytes) => {
        const entry = this.shares.get(share);
        if (entry === undefined) return;
        this.held += OPEN_BYTES + bytes - entry.bytes;
        entry.bytes = OPEN_BYTES + bytes;
        this.letGoOfOldest();
      },
      end: () => {
        this.held -= this.shares.get(share)?.bytes ?? 0;
        this.shares.delete(share);
      },
    };
    this.shares.set(share, { bytes: OPEN_BYTES, onLost });
    this.held += OPEN_BYTES;
    this.letGoOfOldest();
    return share;
  }

  private letGoOfOldest(): void {
    for (const [share, { onLost }] of this.shares) {
      if (this.held <= this.maxBytes) return;
      share.end();
      onLost();
    }
  }
}
