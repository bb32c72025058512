import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** Length of a file, 0 when there is none: a mark to read from later. */
export function endOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What was written to a file since a mark, its last 64 KiB at most. A file that was rotated meanwhile is read whole. */
export function outputSince(path: string, mark: number): string {
  const size = endOf(path);
  const from = Math.max(size < mark ? 0 : mark, size - 65_536);
  if (size === 0 || from === size) return '';
  const bytes = Buffer.alloc(size - from);
  const file = openSync(path, 'r');
  try {
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, from));
  } finally {
    closeSync(file);
  }
}
