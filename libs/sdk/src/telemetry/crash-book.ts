import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Crash {
  readonly signature: string;
  /** By this machine's clock. */
  readonly at: number;
}

interface Pending {
  readonly crash: Crash;
  readonly path: string | null;
  /** Report that carries it; null for none yet. */
  seq: number | null;
}

export interface CrashBookOptions {
  /** Of the local copy; null: a crash is told by this process or not at all. */
  readonly directory: string | null;
  readonly name: string;
  readonly bootId: string;
  readonly now: () => number;
  readonly complain: (message: string) => void;
}

const MAX_SIGNATURE = 500;
/** Of one boot, and boots whose crashes wait: a process that crashes at every start must not fill the disk. */
const MAX_CRASHES = 20;
const MAX_FILES = 20;
const MAX_FILE_BYTES = 65_536;

/**
 * Crashes that no report has carried yet. Each is on disk before `crashed` returns, because the process that says it is about to end:
 * the next report tells it, of this boot or of the next one, and it is forgotten when the collector has it.
 */
export class CrashBook {
  private readonly own: string | null;
  private readonly pending: Pending[] = [];
  private readonly told = new Set<string>();

  constructor(private readonly options: CrashBookOptions) {
    const { directory, name, bootId } = options;
    this.own = directory === null ? null : join(directory, `${name}.crash-${bootId}.jsonl`);
    if (directory !== null) this.load(directory, `${name}.crash-`);
  }

  /** Synchronous, once per signature and boot. Never throws. */
  crashed(signature: string): void {
    const { complain, now } = this.options;
    if (typeof signature !== 'string' || signature === '') {
      complain('crashed() takes a signature: the same words for the same fault');
      return;
    }
    const crash = { signature: tellable(signature), at: Math.floor(now()) };
    if (this.told.has(crash.signature)) return;
    if (this.told.size >= MAX_CRASHES) {
      complain(`more than ${MAX_CRASHES} crash signatures in one process; this one is not told`);
      return;
    }
    this.told.add(crash.signature);
    this.pending.push({ crash, path: this.own, seq: null });
    if (this.own !== null) this.keep(this.own, crash);
  }

  /** The oldest crash that no report carries yet, for the report of this number. */
  next(seq: number): Crash | undefined {
    const found = this.pending.find((one) => one.seq === null);
    if (found) found.seq = seq;
    return found?.crash;
  }

  /** The collector has this report. */
  accepted(seq: number): void {
    const at = this.pending.findIndex((one) => one.seq === seq);
    if (at === -1) return;
    const { path } = this.pending.splice(at, 1)[0]!;
    if (path !== null && !this.pending.some((one) => one.path === path)) this.forget(path);
  }

  private keep(path: string, crash: Crash): void {
    try {
      mkdirSync(this.options.directory!, { recursive: true, mode: 0o700 });
      appendFileSync(path, `${JSON.stringify(crash)}\n`, { mode: 0o600 });
    } catch (error) {
      this.options.complain(`a crash cannot be kept: ${(error as Error).message}`);
    }
  }

  private forget(path: string): void {
    try {
      rmSync(path, { force: true });
    } catch (error) {
      this.options.complain(`a crash that was told stays on disk: ${(error as Error).message}`);
    }
  }

  private load(directory: string, prefix: string): void {
    for (const [k, path] of filesOf(directory, prefix).entries()) {
      const crashes = k < MAX_FILES ? readCrashes(path) : [];
      for (const crash of crashes) this.pending.push({ crash, path, seq: null });
      if (crashes.length === 0) this.forget(path);
    }
  }
}

/** As the collector takes it: half a character, which a cut may leave, and a NUL would cost the whole report. */
const tellable = (signature: string): string =>
  signature
    .slice(0, MAX_SIGNATURE)
    .replaceAll('\u0000', ' ')
    .replaceAll(/\p{Surrogate}/gu, '\ufffd');

/** Newest first. */
const filesOf = (directory: string, prefix: string): readonly string[] => {
  try {
    return readdirSync(directory)
      .filter((file) => file.startsWith(prefix) && file.endsWith('.jsonl'))
      .map((file) => join(directory, file))
      .map((path) => ({ path, at: statSync(path).mtimeMs }))
      .sort((a, b) => b.at - a.at || (a.path < b.path ? -1 : 1))
      .map(({ path }) => path);
  } catch {
    // No directory yet, or one that another process is clearing: there is nothing to tell.
    return [];
  }
};

/** A line that the crash cut short, or that is none, is passed over. */
const readCrashes = (path: string): readonly Crash[] => {
  try {
    if (statSync(path).size > MAX_FILE_BYTES) return [];
    return readFileSync(path, 'utf8').split('\n').slice(0, MAX_CRASHES).flatMap(readCrash);
  } catch {
    return [];
  }
};

const readCrash = (line: string): readonly Crash[] => {
  try {
    const { signature, at } = JSON.parse(line) as Partial<Crash>;
    const isGood =
      typeof signature === 'string' &&
      signature !== '' &&
      signature.length <= MAX_SIGNATURE &&
      Number.isSafeInteger(at) &&
      at! >= 0;
    return isGood ? [{ signature: tellable(signature), at: at! }] : [];
  } catch {
    return [];
  }
};
