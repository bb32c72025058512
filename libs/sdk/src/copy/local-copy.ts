import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChannelState } from '@headgate/contracts';
import type { Seen } from '@headgate/trust';
import { readSeen } from './read-seen.js';

export interface StoredCopy {
  /** Not verified: whoever reads it hands it to a channel reader. */
  readonly state: unknown;
  /** The newest that was ever verified here: nothing older is taken again. */
  readonly seen: Seen | null;
  /** What was damaged and is being ignored, one line each. */
  readonly problems: readonly string[];
}

const MAX_COPY_BYTES = 512 * 1_048_576;
const ABANDONED_MS = 3_600_000;

/**
 * One channel on disk: `<name>.state.json` and `<name>.seen.json`. The state is written first, so that `seen` never names a
 * head that the state beside it has not reached; it stands in its own file so that a damaged state cannot take it along.
 */
export class LocalCopy {
  private readonly statePath: string;
  private readonly seenPath: string;

  constructor(
    private readonly directory: string,
    private readonly name: string,
    /** Keeps apart what several processes of one instance write at the same time. */
    private readonly writer: string,
    private readonly now: () => number,
  ) {
    this.statePath = join(directory, `${name}.state.json`);
    this.seenPath = join(directory, `${name}.seen.json`);
  }

  /** Never throws; synchronous, so that the first evaluation after start already has flags. */
  load(): StoredCopy {
    const problems: string[] = [];
    this.sweep();
    const state = readJson(this.statePath, problems);
    const seen = readSeen(readJson(this.seenPath, problems));
    return { state, seen, problems };
  }

  /**
   * Whole or not at all: written beside, renamed. Only `seen` is worth a sync, and only when asked for: a state that a power
   * loss damaged is refused by its signature and fetched again.
   */
  async save(state: ChannelState, seen: Seen, isSynced: boolean): Promise<void> {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    await this.replace(this.statePath, JSON.stringify(state), false);
    await this.replace(this.seenPath, JSON.stringify(seen), isSynced);
  }

  /** For a copy that turned out not to be authentic. `seen` stays. */
  discardState(): void {
    rmSync(this.statePath, { force: true });
  }

  /** A process that was killed while it wrote leaves its temporary file behind; nobody writes one for an hour. */
  private sweep(): void {
    try {
      for (const file of readdirSync(this.directory)) {
        if (!file.startsWith(`${this.name}.`) || !file.endsWith('.tmp')) continue;
        const path = join(this.directory, file);
        if (this.now() - statSync(path).mtimeMs > ABANDONED_MS) rmSync(path, { force: true });
      }
    } catch {
      // No directory yet, or another process swept first: neither matters.
    }
  }

  private async replace(path: string, text: string, isSynced: boolean): Promise<void> {
    const temporary = `${path}.${this.writer}.tmp`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      if (isSynced) await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  }
}

const readJson = (path: string, problems: string[]): unknown => {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_COPY_BYTES) throw new Error(`${bytes.length} bytes`);
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      problems.push(`local copy ${path} cannot be read and is ignored: ${(error as Error).message}`);
    }
    return null;
  }
};
