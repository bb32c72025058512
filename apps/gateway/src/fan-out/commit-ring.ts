import type { ChannelHead } from '@headgate/contracts';

interface Slot {
  readonly n: number;
  readonly frame: Buffer;
}

/** The newest commits of one epoch as frames, for clients that were away for a moment. Bounded by count and by bytes. */
export class CommitRing {
  private slots: Slot[] = [];
  private epoch: number | null = null;
  private bytes = 0;

  constructor(private readonly limits: { readonly commits: number; readonly bytes: number }) {}

  /** A commit that does not follow the newest one begins the ring anew. */
  push({ epoch, n }: Pick<ChannelHead, 'epoch' | 'n'>, frame: Buffer): void {
    if (epoch !== this.epoch || this.slots.at(-1)?.n !== n - 1) this.clear();
    this.epoch = epoch;
    this.slots.push({ n, frame });
    this.bytes += frame.length;
    while (this.slots.length > this.limits.commits || this.bytes > this.limits.bytes) {
      this.bytes -= this.slots.shift()?.frame.length ?? 0;
    }
  }

  clear(): void {
    this.slots = [];
    this.bytes = 0;
  }

  /** Frames of every commit after `n`; null when one of them is not here any more. */
  since(epoch: number, n: number): readonly Buffer[] | null {
    const first = this.slots[0];
    if (epoch !== this.epoch || first === undefined || n < first.n - 1) return null;
    return this.slots.slice(n - first.n + 1).map(({ frame }) => frame);
  }
}
