import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { SealedRecord } from './analysis-record.js';

const DIGEST = /^[0-9a-f]{64}$/;
const SUFFIX = '.json.gz';
const MAX_TEXT_BYTES = 64 * 1_048_576;
const deflate = promisify(gzip);
const inflate = promisify(gunzip);

/** Full analyses by digest, on local disk, for as long as somebody may want to read why. */
export interface AnalysisArchive {
  /** Safe to repeat. */
  put(record: SealedRecord): Promise<void>;
  /** Canonical text, or null when it is not (or no longer) here. */
  get(digest: string): Promise<string | null>;
  /** Lets go of what is older than the archive keeps. Returns how many. */
  prune(): Promise<number>;
}

export async function openAnalysisArchive(options: {
  readonly folder: string;
  readonly maxAgeMs: number;
  readonly now: () => number;
}): Promise<AnalysisArchive> {
  const { folder, maxAgeMs, now } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fileOf = (digest: string): string => join(folder, `${digest}${SUFFIX}`);
  return {
    put: async ({ digest, text }) => {
      // Written aside and renamed: a reader finds the whole of it or nothing.
      const aside = join(folder, `${digest}.${randomUUID()}.part`);
      await writeFile(aside, await deflate(text), { mode: 0o600 });
      await rename(aside, fileOf(digest));
    },
    get: async (digest) => {
      if (!DIGEST.test(digest)) return null;
      try {
        const bytes = await readFile(fileOf(digest));
        return (await inflate(bytes, { maxOutputLength: MAX_TEXT_BYTES })).toString('utf8');
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw cause;
      }
    },
    prune: async () => {
      let gone = 0;
      for (const name of await readdir(folder)) {
        if (!name.endsWith(SUFFIX) && !name.endsWith('.part')) continue;
        const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Number.NaN }));
        if (!(mtimeMs < now() - maxAgeMs)) continue;
        await unlink(join(folder, name)).catch(() => undefined);
        gone += 1;
      }
      return gone;
    },
  };
}

/** For specs and for installations that keep no files. */
export function openMemoryArchive(): AnalysisArchive {
  const texts = new Map<string, string>();
  return {
    put: async ({ digest, text }) => void texts.set(digest, text),
    get: async (digest) => texts.get(digest) ?? null,
    prune: async () => 0,
  };
}
