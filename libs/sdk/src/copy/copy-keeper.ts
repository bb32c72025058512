import type { ChannelState } from '@headgate/contracts';
import type { Seen } from '@headgate/trust';
import type { LocalCopy } from './local-copy.js';

export interface CopyContent {
  readonly state: ChannelState;
  readonly seen: Seen;
}

const MIN_INTERVAL_MS = 1_000;
/** Hundreds of instances on one disk must not sync hundreds of times per change, least of all while a kill is under way. */
const SYNC_EVERY_MS = 60_000;
/** Of all time, at most one part in this many goes into writing copies, however large the channel is. */
const PAUSE_PER_WRITE = 20;

/** Writes the newest state to disk soon after it changed: one write at a time, many changes in one. Never throws. */
export class CopyKeeper {
  private isDirty = false;
  private isClosed = false;
  private writing: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private notBefore = 0;
  private syncedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly copy: LocalCopy,
    private readonly read: () => CopyContent | null,
    private readonly now: () => number,
    private readonly random: () => number,
    private readonly complain: (message: string) => void,
  ) {}

  changed(): void {
    this.isDirty = true;
    this.schedule();
  }

  /** Writes what is not written yet; nothing is written afterwards. */
  async close(): Promise<void> {
    this.isClosed = true;
    if (this.timer) clearTimeout(this.timer);
    await this.writing;
    if (this.isDirty) await this.write();
  }

  private schedule(): void {
    if (this.isClosed || this.timer || this.writing) return;
    // Not at once: what else a change sets going comes first, here and in the instances beside us.
    const spread = this.random() * MIN_INTERVAL_MS;
    const wait = Math.min(Math.max(spread, this.notBefore - this.now()), MIN_INTERVAL_MS * PAUSE_PER_WRITE);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.writing = this.write().finally(() => {
        this.writing = null;
        if (this.isDirty) this.schedule();
      });
    }, wait);
    this.timer.unref();
  }

  private async write(): Promise<void> {
    this.isDirty = false;
    const content = this.read();
    if (content === null) return;
    const startedAt = this.now();
    try {
      const isSynced = startedAt - this.syncedAt >= SYNC_EVERY_MS;
      await this.copy.save(content.state, content.seen, isSynced);
      if (isSynced) this.syncedAt = startedAt;
    } catch (error) {
      this.complain(`local copy cannot be written: ${(error as Error).message}`);
    }
    const tookMs = Math.max(0, this.now() - startedAt);
    this.notBefore = this.now() + Math.max(MIN_INTERVAL_MS, tookMs * PAUSE_PER_WRITE);
  }
}
