import { createHmac } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from './options.js';
import { describe } from './read-options.js';

const SALT_FILE = 'site-salt';

/** What reports and buckets know of an instance: hex(HMAC-SHA256(siteSalt, instanceId)). */
export const instanceOf = (siteSalt: string, instanceId: string): string =>
  createHmac('sha256', siteSalt).update(instanceId).digest('hex');

type Complain = (code: string) => (message: string) => void;

/** The site's secret, given or kept. Without either a public one: buckets must be the same after a restart, so it says so. */
export const saltOf = (
  { siteSalt, dataDir, root }: Settings,
  newId: () => string,
  complain: Complain,
): string => {
  if (siteSalt !== null) return siteSalt;
  if (dataDir !== null) {
    try {
      return keptSalt(dataDir, () => newId() + newId());
    } catch (error) {
      complain('salt-unkept')(`no site salt can be kept: ${describe(error)}`);
    }
  }
  complain('salt-public')('without siteSalt or dataDir the targeting key is hashed with a public salt');
  return root;
};

/**
 * The site's salt kept beside the local copy, made at the first start. Workers that start at once agree on one: only the
 * first link succeeds. Throws when the directory cannot be used.
 */
const keptSalt = (directory: string, newSalt: () => string): string => {
  const path = join(directory, SALT_FILE);
  const found = readSalt(path);
  if (found !== null) return found;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Whatever stands there and is no salt would stand in the way of a good one for ever.
  rmSync(path, { force: true });
  const salt = newSalt();
  const temporary = `${path}.${salt.slice(0, 16)}.tmp`;
  writeFileSync(temporary, salt, { mode: 0o600 });
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  return readSalt(path) ?? salt;
};

const readSalt = (path: string): string | null => {
  try {
    const salt = readFileSync(path, 'utf8').trim();
    return /^[0-9a-f]{64}$/.test(salt) ? salt : null;
  } catch {
    return null;
  }
};
