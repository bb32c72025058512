import { readFileSync, statSync, truncateSync } from 'node:fs';

/** What strace needs to show for `readSyncs`: writes with their place, and syncs, each with the file's path. */
export const straceInto = (file: string): readonly string[] => [
  'strace',
  '-f',
  '-qq',
  '-y',
  '-s',
  '0',
  '-e',
  'trace=pwrite64,fsync,fdatasync',
  '-o',
  file,
];

export interface Syncs {
  /** How often one of these files was synced. */
  readonly count: number;
  /** Length of each file that a power loss would leave: where its last write before its last sync ended. */
  readonly lengths: ReadonlyMap<string, number>;
}

const WRITE = /pwrite64\(\d+<([^>]+)>, .*?, (\d+), (\d+)(?:\)| <unfinished)/;
const SYNC = /(?:fsync|fdatasync)\(\d+<([^>]+)>/;

/** Reads strace's file. A sync counts for what was written before it began. */
export const readSyncs = (trace: string, isOfInterest: (path: string) => boolean): Syncs => {
  const written = new Map<string, number>();
  const lengths = new Map<string, number>();
  let count = 0;
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    const write = WRITE.exec(line);
    const [, writtenPath, size, offset] = write ?? [];
    if (writtenPath !== undefined && isOfInterest(writtenPath)) {
      written.set(writtenPath, Math.max(written.get(writtenPath) ?? 0, Number(size) + Number(offset)));
      if (!lengths.has(writtenPath)) lengths.set(writtenPath, 0);
    }
    const synced = SYNC.exec(line)?.[1];
    if (synced === undefined || !isOfInterest(synced)) continue;
    count += 1;
    lengths.set(synced, written.get(synced) ?? 0);
  }
  return { count, lengths };
};

/** What a power loss does to files whose writes the kernel had not yet put on the disk. */
export const losePower = ({ lengths }: Syncs): number => {
  let lost = 0;
  for (const [path, length] of lengths) {
    const { size } = statSync(path);
    if (size <= length) continue;
    lost += size - length;
    truncateSync(path, length);
  }
  return lost;
};
