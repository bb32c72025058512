import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The C library's version, or undefined where it is not glibc (Alpine, macOS). */
export function glibcVersion() {
  // without excludeNetwork (which the types of Node 20 lack) the report looks up the name of every network peer
  Object.assign(process.report, { excludeNetwork: true });
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return report.header?.glibcVersionRuntime;
}

/** Debian's name for this machine's release ("bookworm"), or an empty text elsewhere. */
export function debianCodename(file = '/etc/os-release') {
  try {
    return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

/**
 * The environment for npm: where its cache cannot be written (nobody, a container's uid, a home that does not exist), one
 * in the project takes its place. `npm run` hands its own choice down in npm_config_cache, so that one is tried as well.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} fallbackCache
 * @returns {NodeJS.ProcessEnv}
 */
export function npmEnvironment(env, fallbackCache) {
  const cache = env.npm_config_cache ?? (env.HOME ? join(env.HOME, '.npm') : undefined);
  return cache && canWrite(cache) ? env : { ...env, npm_config_cache: fallbackCache };
}

/**
 * True when a folder can be written, or made because the nearest one above it can.
 *
 * @param {string} folder
 * @returns {boolean}
 */
function canWrite(folder) {
  if (!existsSync(folder)) return dirname(folder) !== folder && canWrite(dirname(folder));
  try {
    accessSync(folder, constants.W_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}
