import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BootstrapFailure } from './failure.mjs';

/** @typedef {{ readonly pid: number, readonly startedAt: string, readonly token: string }} Holder */

/**
 * Runs `work` while no other process of this machine holds the lock file `path`. A lock left by a process that is gone
 * is taken over. Waits for a living holder; `onWait` is told once who it is.
 *
 * The lock appears with its content (a hard link to a finished file), so a reader never sees it half written.
 *
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {{ readonly onWait?: (holder: Holder) => void, readonly patienceMs?: number }} [options]
 * @returns {Promise<T>}
 */
export async function withExclusiveLock(path, work, options = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const own = { pid: process.pid, startedAt: startOf(process.pid), token: randomUUID() };
  const draft = `${path}.${own.token}`;
  writeFileSync(draft, JSON.stringify(own));
  try {
    await acquire(path, draft, options);
  } finally {
    rmSync(draft, { force: true });
  }
  const release = () => {
    if (readHolder(path)?.token === own.token) unlinkSync(path);
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/**
 * @param {string} path
 * @param {string} draft
 * @param {{ readonly onWait?: (holder: Holder) => void, readonly patienceMs?: number }} options
 */
async function acquire(path, draft, { onWait, patienceMs = 15 * 60_000 }) {
  const giveUpAt = Date.now() + patienceMs;
  let told = false;
  while (!tryLink(draft, path)) {
    const holder = readHolder(path);
    if (!holder) continue;
    if (!isRunning(holder)) {
      if (takeOver(path, draft, holder)) return;
      continue;
    }
    if (Date.now() > giveUpAt) {
      throw new BootstrapFailure(`${path} is held by process ${holder.pid}, which is still running`, [
        `wait for process ${holder.pid} to end, or stop it, then run the command again`,
      ]);
    }
    if (!told) onWait?.(holder);
    told = true;
    await wait(100);
  }
}

/**
 * Replaces the lock of a dead holder. The marker carries the dead holder's token, so of several waiters one wins, and a
 * waiter that read the old holder late finds another token in the lock and leaves it alone.
 *
 * @param {string} path
 * @param {string} draft
 * @param {Holder} dead
 */
function takeOver(path, draft, dead) {
  const marker = `${path}.takeover.${dead.token}`;
  if (!tryLink(draft, marker)) {
    const taker = readHolder(marker);
    if (taker && !isRunning(taker)) rmSync(marker, { force: true });
    return false;
  }
  const isStillDead = readHolder(path)?.token === dead.token;
  if (isStillDead) renameSync(marker, path);
  else rmSync(marker, { force: true });
  return isStillDead;
}

/**
 * @param {string} from
 * @param {string} to
 */
function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * @param {string} path
 * @returns {Holder | undefined}
 */
function readHolder(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw new BootstrapFailure(`${path} is damaged`, [`remove ${path} and run the command again`], error);
  }
}

/** @param {Holder} holder */
function isRunning(holder) {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (isCode(error, 'ESRCH')) return false;
  }
  return startOf(holder.pid) === holder.startedAt;
}

/**
 * When a process started, in the kernel's ticks: tells a living holder from another process that got its id. One that
 * has died and that nobody has waited for yet (containers often have no init that does) counts as gone. Empty where
 * /proc is missing, where the id alone has to do.
 *
 * @param {number} pid
 */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'gone' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

/**
 * Not `instanceof Error`: under jest the errors of Node's own modules come from another realm.
 *
 * @param {unknown} error
 * @param {string} code
 */
function isCode(error, code) {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
