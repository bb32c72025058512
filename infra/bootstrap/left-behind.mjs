import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** The environment variable every process of a run inherits; a run inside a run extends its value. */
export const RUN_MARK = 'HEADGATE_RUN';

/** @typedef {{ readonly pid: number, readonly command: string }} Running */

/**
 * The processes that still carry the mark of a run after it has ended, given `graceMs` to finish by themselves.
 * Undefined where the system does not show other processes' environment (no /proc).
 *
 * @param {string} run
 * @param {number} [graceMs]
 * @returns {Promise<readonly Running[] | undefined>}
 */
export async function leftBehind(run, graceMs = 20_000) {
  const until = Date.now() + graceMs;
  for (;;) {
    const running = marked(run);
    if (!running || running.length === 0 || Date.now() > until) return running;
    await wait(50);
  }
}

/**
 * @param {string} run
 * @returns {readonly Running[] | undefined}
 */
function marked(run) {
  const pids = read('/proc', (path) => readdirSync(path))?.filter((name) => /^\d+$/.test(name));
  if (!pids || !read('/proc/self/environ', (path) => readFileSync(path))) return undefined;
  return pids
    .map(Number)
    .filter((pid) => pid !== process.pid && carriesMark(pid, run))
    .map((pid) => ({ pid, command: text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ command }) => command !== '');
}

/**
 * @param {number} pid
 * @param {string} run
 */
function carriesMark(pid, run) {
  return text(`/proc/${pid}/environ`)
    .split('\0')
    .some((entry) => entry === `${RUN_MARK}=${run}` || entry.startsWith(`${RUN_MARK}=${run}/`));
}

/** @param {string} path */
function text(path) {
  return read(path, (file) => readFileSync(file, 'utf8')) ?? '';
}

/**
 * @template T
 * @param {string} path
 * @param {(path: string) => T} how
 */
function read(path, how) {
  try {
    return how(path);
  } catch {
    return undefined;
  }
}
