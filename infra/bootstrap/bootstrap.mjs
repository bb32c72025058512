// Prepares a fresh clone for every command of package.json. Node built-ins only, because it runs before anything is
// installed; the one place that uses the network (docs/adr/0003-bootstrap.md). Says nothing when there is nothing to do.
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withExclusiveLock } from './exclusive-lock.mjs';
import { BootstrapFailure } from './failure.mjs';
import { resolveNatsServer } from './nats-server.mjs';
import { installNodeModules } from './node-modules.mjs';
import { preparePostgres } from './postgres.mjs';
import { endingWhatItRuns, runQuietly } from './run-quietly.mjs';
import { isAtLeast } from './version.mjs';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const NODE_FLOOR = '20.19.0';

/**
 * Makes the clone ready: packages, compiled code, nats-server, Postgres. Idempotent; waits while another bootstrap of
 * the same clone runs. Returns the nats-server to use. Throws BootstrapFailure when a person has to do something.
 * `compiles: false` leaves the compiler out, for the check, which reports its complaints among the others.
 *
 * @param {{ readonly root?: string, readonly say?: (line: string) => void, readonly compiles?: boolean }} [options]
 */
export async function bootstrap({ root = ROOT, say = sayOnStderr, compiles = true } = {}) {
  if (!isAtLeast(process.versions.node, NODE_FLOOR)) {
    throw new BootstrapFailure(`Node ${process.versions.node} is too old: ${NODE_FLOOR} or later is needed`, [
      'install a newer Node, see https://nodejs.org',
    ]);
  }
  const cache = join(root, '.cache');
  const onWait = (/** @type {{ pid: number }} */ { pid }) =>
    say(`waiting for process ${pid}, which prepares this clone`);
  return withExclusiveLock(
    join(cache, 'bootstrap.lock'),
    async () => {
      await installNodeModules(root, say);
      const [nats, compiled] = await Promise.allSettled([
        resolveNatsServer({ cacheDir: join(cache, 'nats'), say }),
        compiles ? compile(root, say) : undefined,
      ]);
      // both have ended before the lock is given up, also when one has failed
      if (nats.status === 'rejected') throw nats.reason;
      if (compiled.status === 'rejected') throw compiled.reason;
      preparePostgres(root, say);
      return nats.value;
    },
    { onWait },
  );
}

/**
 * @param {string} root
 * @param {(line: string) => void} say
 */
async function compile(root, say) {
  if (!existsSync(join(root, 'apps', 'standalone', 'dist'))) say('tsc -b');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    await runQuietly(process.execPath, [tsc, '-b', root]);
  } catch (error) {
    throw new BootstrapFailure(
      `the sources do not compile\n${error instanceof Error ? error.message : error}`,
      ['npx tsc -b'],
    );
  }
}

/** @param {string} line */
function sayOnStderr(line) {
  process.stderr.write(`bootstrap: ${line}\n`);
}

/**
 * Runs `work`; a BootstrapFailure is told without a stack, with what to do next, and ends the process with 1.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function orExplain(work) {
  try {
    return await endingWhatItRuns(work);
  } catch (error) {
    if (!(error instanceof BootstrapFailure)) throw error;
    sayOnStderr(error.message);
    for (const step of error.next) sayOnStderr(`next: ${step}`);
    process.exit(1);
  }
}

const isMain = process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isMain) await orExplain(() => bootstrap());
