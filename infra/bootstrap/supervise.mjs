import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { leftBehind, RUN_MARK } from './left-behind.mjs';

const PASSED_ON = /** @type {const} */ (['SIGTERM', 'SIGHUP', 'SIGINT']);

/**
 * Runs Node as if it were this process: same terminal, signals passed on, and this process ends as it ended. A watched
 * run that leaves processes behind has them named and killed, and fails. Under `npm run`, which dies without a word to its
 * children when it is killed, the run ends when npm does.
 *
 * @param {{ readonly node: string, readonly args: readonly string[], readonly env: NodeJS.ProcessEnv,
 *   readonly isWatched: boolean, readonly graceMs?: number }} run
 */
export async function supervise({ node, args, env, isWatched, graceMs }) {
  const outer = env[RUN_MARK];
  const mark = `${outer ? `${outer}/` : ''}${randomUUID()}`;
  const child = spawn(node, args, { stdio: 'inherit', env: isWatched ? { ...env, [RUN_MARK]: mark } : env });

  for (const signal of PASSED_ON) {
    process.on(signal, () => {
      // a terminal's Ctrl-C reaches the child by itself; passed on too, it would look like an impatient second one
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }

  const parent = process.ppid;
  const watch = env.npm_lifecycle_event
    ? setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500)
    : undefined;

  /** @type {[number | null, NodeJS.Signals | null]} */
  const [code, signal] = /** @type {any} */ (await once(child, 'close'));
  clearInterval(watch);
  const remaining = isWatched ? ((await leftBehind(mark, graceMs)) ?? []) : [];
  for (const { pid, command } of remaining) {
    process.stderr.write(`left behind: process ${pid}: ${command.replace(/\s+/g, ' ').slice(0, 300)}\n`);
    end(pid);
  }
  if (remaining.length > 0) process.exit(code || 1);
  if (signal === null) process.exit(code ?? 1);
  for (const name of PASSED_ON) process.removeAllListeners(name);
  process.kill(process.pid, signal);
}

/** @param {number} pid */
function end(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself after it was seen
  }
}
