import { execFile, spawn } from 'node:child_process';
import { chownSync, cpSync, existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** How to run a program that refuses to run as root, such as every program of Postgres. */
export interface Unprivileged {
  readonly command: (
    program: string,
    args: readonly string[],
  ) => { readonly program: string; readonly args: string[] };
  readonly uid?: number;
  readonly gid?: number;
  /** Gives files made by us to whoever the program runs as. */
  readonly own: (path: string) => void;
  /** For errors: what may be in the way of this way of running it; empty when nothing is. */
  readonly hint: string;
}

const NOBODY = 65_534;
const AS_SOMEBODY = ['--user', '--map-user=1000', '--map-group=1000'];

/**
 * As root by a user namespace, in which we are user 1000 and our files stay ours: this works below /root too. Where the
 * kernel or a container forbids that, by giving up the rights of root and the files with them. Others run it as they are.
 */
export async function findUnprivileged(): Promise<Unprivileged> {
  const asIs = (program: string, args: readonly string[]) => ({ program, args: [...args] });
  if (process.getuid?.() !== 0) return { command: asIs, own: () => {}, hint: '' };
  if (await hasUserNamespaces()) {
    return {
      command: (program, args) => ({ program: 'unshare', args: [...AS_SOMEBODY, program, ...args] }),
      own: () => {},
      hint: '',
    };
  }
  return {
    command: asIs,
    uid: NOBODY,
    gid: NOBODY,
    own: giveToNobody,
    hint: `\nPostgres does not run as root, and \`unshare --user\` is not possible here, so it runs as user ${NOBODY}, who must be able to reach its programs and its data: start Headgate as another user, move both out of folders that only root may enter, or set DATABASE_URL.`,
  };
}

const runFile = promisify(execFile);

async function hasUserNamespaces(): Promise<boolean> {
  try {
    await runFile('unshare', [...AS_SOMEBODY, 'true'], { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

function giveToNobody(path: string): void {
  if (!existsSync(path)) return;
  chownSync(path, NOBODY, NOBODY);
  if (!lstatSync(path).isDirectory()) return;
  for (const entry of readdirSync(path)) giveToNobody(join(path, entry));
}

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Runs such a program to its end, `input` on its stdin; gives what it said on stdout and stderr. */
export function runUnprivileged(
  as: Unprivileged,
  program: string,
  args: readonly string[],
  {
    input = '',
    env,
    cwd,
  }: { readonly input?: string; readonly env: NodeJS.ProcessEnv; readonly cwd: string },
): Promise<Finished> {
  const command = as.command(program, args);
  return new Promise((resolve, reject) => {
    const child = spawn(command.program, command.args, { env, cwd, uid: as.uid, gid: as.gid });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.stdin.on('error', () => {});
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
    child.stdin.end(input);
  });
}

/** Copies a folder of our own making for whoever the program runs as. */
export function copyFor(as: Unprivileged, from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  as.own(to);
}
