import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Tells one run of one process from every other: an id alone is given to another process some day. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in the kernel's ticks since boot; empty where /proc is missing. */
  readonly startedAt: string;
  readonly boot: string;
  readonly host: string;
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, startedAt: startOf(pid), boot: bootId(), host: hostname() };
}

/**
 * Whether that run still runs; `unknown` when it was started on another host or in another container that shares the data
 * directory, whose processes cannot be seen from here.
 */
export function isStillRunning(identity: ProcessIdentity): boolean | 'unknown' {
  if (identity.boot !== bootId()) return identity.host === hostname() ? false : 'unknown';
  if (identity.host !== hostname()) return 'unknown';
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(identity.pid) === identity.startedAt;
}

function startOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`);
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // a zombie has ended; only its parent has not looked yet
  return state === 'Z' ? 'ended' : (rest[18] ?? '');
}

function bootId(): string {
  return textOf('/proc/sys/kernel/random/boot_id').trim();
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
