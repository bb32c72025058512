import {
  beatSubject,
  commitSubject,
  type SignedHead,
  type SnapshotChunk,
  snapshotSubject,
  trustSubject,
} from '@headgate/contracts';
import type { StoredMessage } from '@headgate/streams';
import { joinSnapshot, readSnapshotChunk, type Snapshot } from '@headgate/trust';

export interface StoredSnapshot extends Snapshot {
  readonly slot: 0 | 1;
}

/** The newest message of each of a channel's subjects, as a cold reader finds them. Nothing of it is verified. */
export class Shelf {
  readonly #messages = new Map<string, StoredMessage>();

  constructor(
    private readonly project: string,
    private readonly channel: string,
  ) {}

  put(message: StoredMessage): void {
    this.#messages.set(message.subject, message);
  }

  get trust(): StoredMessage | undefined {
    return this.#messages.get(trustSubject(this.project, this.channel));
  }

  get beat(): StoredMessage | undefined {
    return this.#messages.get(beatSubject(this.project, this.channel));
  }

  /** What lies where commit `n` belongs: that commit, or one of another turn of the ring. */
  commit(n: number): StoredMessage | undefined {
    return this.#messages.get(commitSubject(this.project, this.channel, n));
  }

  /** Complete snapshots, newest first. */
  snapshots(): StoredSnapshot[] {
    const found = [this.#snapshot(0), this.#snapshot(1)].filter((snapshot) => snapshot !== null);
    return found.sort((a, b) => -compareHeads(a.head, b.head));
  }

  #snapshot(slot: 0 | 1): StoredSnapshot | null {
    const chunks: SnapshotChunk[] = [];
    try {
      do {
        const subject = snapshotSubject(this.project, this.channel, slot, chunks.length);
        const message = this.#messages.get(subject);
        if (message === undefined) return null;
        chunks.push(readSnapshotChunk(message.data));
      } while (chunks.length < (chunks[0]?.count ?? 0));
      return { ...joinSnapshot(chunks), slot };
    } catch {
      // Half overwritten, or written by nobody we know: the other slot holds the newest complete one.
      return null;
    }
  }
}

export const compareHeads = (a: SignedHead, b: SignedHead): number => a.h.epoch - b.h.epoch || a.h.n - b.h.n;
