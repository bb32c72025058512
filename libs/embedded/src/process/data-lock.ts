import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { identityOf, isStillRunning, type ProcessIdentity } from './process-identity.js';

/** The data belong to a process that is running; says which, and where it answers. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
  constructor(
    message: string,
    readonly holder: { readonly pid: number; readonly url: string | null; readonly since: string },
  ) {
    super(message);
  }
}

export interface DataLock {
  /** Notes what runs on the data, for whoever tries next. */
  readonly note: (running: { readonly url: string; readonly serverPid: number }) => void;
  readonly release: () => void;
}

interface Holder {
  readonly token: string;
  readonly owner: ProcessIdentity;
  readonly since: string;
  readonly server: ProcessIdentity | null;
  readonly url: string | null;
}

export interface DataLockOptions {
  readonly path: string;
  /** What the data are, for messages: "nats-server data in /srv/x". */
  readonly what: string;
  readonly now: () => number;
  /** How long a server whose owner was killed may take to follow it. */
  readonly patienceMs: number;
}

/**
 * Makes this process the only one to run a server on a data directory. A lock whose owner is gone is taken over (the start
 * time of the owner tells it from another process with the same id), but only after the server it ran is gone too.
 */
export async function lockData(options: DataLockOptions): Promise<DataLock> {
  const { path } = options;
  let own: Holder = {
    token: randomUUID(),
    owner: identityOf(process.pid),
    since: new Date(options.now()).toISOString(),
    server: null,
    url: null,
  };
  const draft = `${path}.${own.token}`;
  writeFileSync(draft, JSON.stringify(own), { mode: 0o600 });
  try {
    await acquire(draft, options);
  } finally {
    rmSync(draft, { force: true });
  }
  const isOwn = () => readHolder(path)?.token === own.token;
  return {
    note: ({ url, serverPid }) => {
      own = { ...own, url, server: identityOf(serverPid) };
      writeFileSync(draft, JSON.stringify(own), { mode: 0o600 });
      renameSync(draft, path);
    },
    release: () => {
      if (isOwn()) rmSync(path, { force: true });
    },
  };
}

async function acquire(draft: string, options: DataLockOptions): Promise<void> {
  const { path } = options;
  while (!tryLink(draft, path)) {
    const holder = readHolder(path);
    if (!holder) continue;
    const running = isStillRunning(holder.owner);
    if (running !== false) throw inUse(holder, running, options);
    await serverGone(holder, options);
    takeOver(path, draft, holder);
    if (readHolder(path)?.token === readHolder(draft)?.token) return;
  }
}

/**
 * Replaces the lock of a dead holder. The marker carries the dead holder's token, so of several processes one wins, and one
 * that read the old lock late finds another token in it and leaves it alone.
 */
function takeOver(path: string, draft: string, dead: Holder): void {
  const marker = `${path}.takeover.${dead.token}`;
  if (!tryLink(draft, marker)) {
    const taker = readHolder(marker);
    if (taker && isStillRunning(taker.owner) === false) rmSync(marker, { force: true });
    return;
  }
  if (readHolder(path)?.token === dead.token) renameSync(marker, path);
  else rmSync(marker, { force: true });
}

async function serverGone({ server }: Holder, { what, now, patienceMs }: DataLockOptions): Promise<void> {
  if (!server) return;
  const giveUpAt = now() + patienceMs;
  while (isStillRunning(server) === true) {
    if (now() > giveUpAt) {
      throw new Error(
        `${what}: the process that started it is gone, but the server itself (process ${server.pid}) still runs; end it with \`kill ${server.pid}\`, then start again`,
      );
    }
    await wait(50);
  }
}

function inUse(
  holder: Holder,
  running: true | 'unknown',
  { what, path }: DataLockOptions,
): DataDirectoryInUse {
  const { pid, host } = holder.owner;
  const where = holder.url ? `, answering at ${holder.url}` : '';
  const text =
    running === true
      ? `${what} is in use by process ${pid} since ${holder.since}${where}. Use that one, or stop it first.`
      : `${what} is locked by process ${pid} of host ${host} since ${holder.since}${where}, which cannot be seen from here. Stop it there; if it is gone for certain, remove ${path}.`;
  return new DataDirectoryInUse(text, { pid, url: holder.url, since: holder.since });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const holder = JSON.parse(text) as Holder;
    if (typeof holder.token === 'string' && typeof holder.owner?.pid === 'number') return holder;
  } catch {
    // falls through to the same answer
  }
  throw new Error(
    `lock file ${path} is damaged; if no Headgate runs on these data, remove it and start again`,
  );
}
