import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = /^[0-9a-f]{64}$/;

/** What tells this gateway from others in the counts of use: made once, kept in its folder, says nothing else. */
export const gatewayName = (folder: string, random: (bytes: number) => Buffer): string => {
  const file = join(folder, 'name');
  const kept = readOrNull(file);
  if (kept !== null && NAME.test(kept)) return kept;
  const name = random(32).toString('hex');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, name, { mode: 0o600 });
  } catch {
    // A disk that takes nothing costs the count of gateways its sense, and nobody a flag.
  }
  return name;
};

const readOrNull = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
};
