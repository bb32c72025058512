import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BootstrapFailure } from './failure.mjs';
import { npmEnvironment } from './machine.mjs';
import { runQuietly } from './run-quietly.mjs';

/** @typedef {Record<string, { version?: string, integrity?: string, optional?: boolean, link?: boolean }>} Packages */

/**
 * Brings node_modules to what package-lock.json says. Quick when a stamp of the same lock file and platform is there;
 * otherwise npm's own record decides, so that a tree that `npm install` has just made is not thrown away.
 *
 * @param {string} root
 * @param {(line: string) => void} say
 */
export async function installNodeModules(root, say) {
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const stamp = createHash('sha256').update(`${process.platform} ${process.arch}\n${lockText}`).digest('hex');
  const stampFile = join(root, 'node_modules', '.headgate-stamp');
  if (readIfThere(stampFile) === stamp) return;

  const record = readIfThere(join(root, 'node_modules', '.package-lock.json'));
  const isInstalled = record !== undefined && holdsLockedPackages(lockText, record);
  // platform binaries are optional packages, which the record may lack: one that must be there tells another platform's tree
  if (!isInstalled || !existsSync(join(root, 'node_modules', '@swc', 'core'))) {
    say('npm install (packages of package-lock.json)');
    await npmInstall(root);
  }
  writeStamp(stampFile, stamp);
}

/**
 * `npm install --no-save` rather than `npm ci`: a lock file made through a registry that lacks some other platform's
 * optional package cannot name it, and `npm ci` then refuses the whole file (seen with npm 11.19). Locked versions and
 * digests hold all the same, and the lock file is not touched; that it agrees with every package.json is checked by
 * `npm run check`.
 *
 * @param {string} root
 */
async function npmInstall(root) {
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  try {
    await runQuietly('npm', args, {
      cwd: root,
      env: npmEnvironment(process.env, join(root, '.cache', 'npm')),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BootstrapFailure(`npm could not install the packages of package-lock.json\n${reason}`, [
      'see that the npm registry of `npm config get registry` answers, then run the command again',
    ]);
  }
}

/**
 * True when npm's record of an installed tree holds every package of the lock file in the same version. Optional
 * packages (other platforms' binaries) may be missing.
 *
 * @param {string} lockText
 * @param {string} recordText
 */
export function holdsLockedPackages(lockText, recordText) {
  const locked = packagesOf(lockText);
  const installed = packagesOf(recordText);
  return Object.entries(locked).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return true;
    const actual = installed[path];
    if (!actual) return wanted.optional === true;
    return actual.version === wanted.version && actual.integrity === wanted.integrity;
  });
}

/**
 * @param {string} text
 * @returns {Packages}
 */
function packagesOf(text) {
  return JSON.parse(text).packages ?? {};
}

/** @param {string} file */
function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/**
 * @param {string} file
 * @param {string} stamp
 */
function writeStamp(file, stamp) {
  try {
    writeFileSync(file, stamp);
  } catch {
    // a tree that another user installed may be read-only; the slow comparison then runs again next time
  }
}
