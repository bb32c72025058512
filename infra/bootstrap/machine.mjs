import { accessSync, constants, readFileSync } from 'node:fs';

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
 * The environment for npm: a user without a home of its own (nobody, a container's uid) gets npm's cache in the
 * project's instead of a failure to create one.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} fallbackCache
 * @returns {NodeJS.ProcessEnv}
 */
export function npmEnvironment(env, fallbackCache) {
  return isWritable(env.HOME) || env.npm_config_cache ? env : { ...env, npm_config_cache: fallbackCache };
}

/** @param {string | undefined} path */
function isWritable(path) {
  try {
    accessSync(path ?? '', constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
