import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { debianSources, readAptSources } from './apt-sources.mjs';
import { fetchDebianPackage } from './debian-package.mjs';
import { BootstrapFailure } from './failure.mjs';
import { downloadNatsRelease } from './github-release.mjs';
import { debianCodename, glibcVersion } from './machine.mjs';
import { isAtLeast, parseVersion } from './version.mjs';

export const NATS_FLOOR = '2.14.0';
const DEBIAN_SUITES = ['forky', 'sid'];
const DEBIAN_BUILD_NEEDS_GLIBC = '2.34';

/** @typedef {(path: string) => string | undefined} Probe the version a program reports, or undefined if it does not run */

/**
 * A place nats-server can come from. `fetchTo` writes the program to the given path or throws with the reason why not.
 *
 * @typedef {{ readonly name: string, readonly fetchTo: (path: string) => Promise<void> }} Origin
 */

/**
 * Finds a nats-server that is new enough, in this order: $HEADGATE_NATS_BIN (an error when it does not do), the copy
 * under .cache, every one in PATH, then the given origins in turn. What comes from PATH or an origin is put under
 * .cache/nats/nats-server, and only after it has run: the last good copy stays until a better one has proven itself.
 *
 * @param {{ readonly cacheDir: string, readonly env?: NodeJS.ProcessEnv, readonly probe?: Probe,
 *   readonly origins?: readonly Origin[], readonly say?: (line: string) => void }} options
 * @returns {Promise<{ readonly path: string, readonly version: string }>}
 */
export async function resolveNatsServer({
  cacheDir,
  env = process.env,
  probe = natsVersion,
  origins = networkOrigins(cacheDir),
  say = () => {},
}) {
  const chosen = env.HEADGATE_NATS_BIN;
  if (chosen) return requireChosen(chosen, probe);

  const cached = join(cacheDir, 'nats-server');
  const good = existsSync(cached) ? probe(cached) : undefined;
  const isGood = good !== undefined && isAtLeast(good, NATS_FLOOR);
  if (isGood && !env.HEADGATE_NATS_REFRESH) return { path: cached, version: good };

  const refusals = [];
  for (const origin of [...inPath(env.PATH ?? ''), ...origins]) {
    try {
      const version = await adopt(origin, cached, probe);
      say(`nats-server ${version} from ${origin.name}`);
      return { path: cached, version };
    } catch (error) {
      const reason = reasonOf(error);
      refusals.push(`${origin.name}: ${reason}`);
      say(`nats-server: not from ${origin.name}: ${reason.split('\n')[0]}`);
    }
  }
  if (isGood) {
    say(`nats-server: keeping the copy of ${good}`);
    return { path: cached, version: good };
  }
  throw new BootstrapFailure(
    `no nats-server ${NATS_FLOOR} or later:\n${refusals.map((r) => `  ${r}`).join('\n')}`,
    [
      'brew install nats-server',
      'or fetch a release of nats-server yourself and set HEADGATE_NATS_BIN to the program',
    ],
  );
}

/**
 * @param {string} path
 * @param {Probe} probe
 */
function requireChosen(path, probe) {
  const version = probe(path);
  const next = [`set HEADGATE_NATS_BIN to a nats-server ${NATS_FLOOR} or later, or unset it`];
  if (version === undefined) throw new BootstrapFailure(`HEADGATE_NATS_BIN=${path} does not run`, next);
  if (isAtLeast(version, NATS_FLOOR)) return { path, version };
  throw new BootstrapFailure(`HEADGATE_NATS_BIN=${path} is ${version}, older than ${NATS_FLOOR}`, next);
}

/**
 * @param {Origin} origin
 * @param {string} cached
 * @param {Probe} probe
 */
async function adopt(origin, cached, probe) {
  const incoming = `${cached}.incoming`;
  mkdirSync(join(cached, '..'), { recursive: true });
  rmSync(incoming, { force: true });
  await origin.fetchTo(incoming);
  chmodSync(incoming, 0o755);
  const version = probe(incoming);
  if (version === undefined) throw new Error('it does not run on this machine');
  if (!isAtLeast(version, NATS_FLOOR)) throw new Error(`it is ${version}, older than ${NATS_FLOOR}`);
  renameSync(incoming, cached);
  return version;
}

/**
 * @param {string} path the PATH variable
 * @returns {Origin[]}
 */
function inPath(path) {
  const folders = [...new Set(path.split(delimiter).filter(Boolean))];
  return folders
    .map((folder) => join(folder, 'nats-server'))
    .filter((program) => existsSync(program))
    .map((program) => ({ name: program, fetchTo: async (to) => copyFileSync(program, to) }));
}

/**
 * @param {string} cacheDir
 * @returns {Origin[]}
 */
function networkOrigins(cacheDir) {
  return [
    { name: 'the GitHub release', fetchTo: async (to) => writeFileSync(to, await downloadNatsRelease()) },
    ...DEBIAN_SUITES.map((suite) => ({
      name: `Debian ${suite}`,
      fetchTo: (/** @type {string} */ to) => fetchFromDebian(suite, to, cacheDir),
    })),
  ];
}

/**
 * @param {string} suite
 * @param {string} to
 * @param {string} cacheDir
 */
async function fetchFromDebian(suite, to, cacheDir) {
  const glibc = glibcVersion();
  if (!glibc || !isAtLeast(glibc, DEBIAN_BUILD_NEEDS_GLIBC)) {
    throw new Error(
      `Debian's build needs glibc ${DEBIAN_BUILD_NEEDS_GLIBC}, this machine has ${glibc ?? 'none'}`,
    );
  }
  const sources = debianSources(readAptSources(), debianCodename());
  if (sources.length === 0) throw new Error("no Debian mirror in this machine's apt sources");
  const workDir = join(cacheDir, 'apt');
  let last;
  for (const source of sources) {
    try {
      const unpacked = await fetchDebianPackage({ name: 'nats-server', suite, source, workDir });
      const program = ['usr/bin', 'usr/sbin']
        .map((bin) => join(unpacked, bin, 'nats-server'))
        .find(existsSync);
      if (!program) throw new Error('the package holds no nats-server');
      copyFileSync(program, to);
      rmSync(workDir, { recursive: true, force: true });
      return;
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/**
 * fetch() hides why it failed (no such host, a certificate) in the cause.
 *
 * @param {unknown} error
 */
function reasonOf(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/** @type {Probe} */
export function natsVersion(path) {
  const { status, stdout } = spawnSync(path, ['-v'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? parseVersion(stdout)?.join('.') : undefined;
}
