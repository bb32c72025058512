import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { endOf } from './output-since.js';
import { identityOf, isStillRunning } from './process-identity.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SupervisedOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** File, made 0600, that takes the program's stdout and stderr of this run. */
  readonly outputFile: string;
  /** First signal sent when this process dies; SIGKILL follows after `graceMs`. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  readonly graceMs: number;
}

export interface Supervised {
  /** Process id of the program itself, not of its watchdog. */
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly isRunning: () => boolean;
  /** Sends the stop signal, SIGKILL after the grace time; resolves when the process is gone. Safe to repeat. */
  readonly stop: () => Promise<Exit>;
}

/**
 * Runs a program that must not outlive this process, even when this process is killed with SIGKILL. A few lines of sh hold
 * the read end of a pipe whose only writer is this process: the kernel closes it whatever the death, `read` returns, and
 * the program is ended. Program and watchdog sit in a session of their own, so that Ctrl-C in a terminal reaches this
 * process alone and services stop in the order it chooses.
 */
export async function supervise(options: SupervisedOptions): Promise<Supervised> {
  const output = openSync(options.outputFile, endOf(options.outputFile) < OUTPUT_LIMIT ? 'a' : 'w', 0o600);
  let watchdog: ChildProcess;
  try {
    watchdog = spawn(
      '/bin/sh',
      [
        '-c',
        WATCHDOG,
        'headgate-watchdog',
        options.stopSignal.replace(/^SIG/, ''),
        String(Math.ceil(options.graceMs / 1_000)),
        options.program,
        ...options.args,
      ],
      {
        detached: true,
        cwd: options.cwd,
        env: options.env,
        uid: options.uid,
        gid: options.gid,
        stdio: ['pipe', output, output, 'pipe'],
      },
    );
  } finally {
    closeSync(output);
  }
  const exited = exitOf(watchdog);
  const pid = await firstNumber(watchdog.stdio[3] as Readable, exited, options.program);
  // neither the pipe nor the watchdog may keep a parent alive that has nothing else to do
  watchdog.unref();
  (watchdog.stdin as unknown as { unref(): void }).unref();
  watchdog.stdin?.on('error', () => {});
  return supervised(pid, exited, watchdog, options);
}

/** What a program says outside its own log is kept over restarts (a panic is read after it), but not for ever. */
const OUTPUT_LIMIT = 1024 * 1024;

/**
 * `read` is built into sh, so waiting costs no second process. The program gets neither the pipe nor the id channel: a
 * program holding the pipe's write end is no concern (it has none), one holding the id channel would keep it open.
 */
const WATCHDOG = `
signal=$1; grace=$2; shift 2
exec 4<&0
"$@" </dev/null 3>&- 4<&- &
child=$!
echo "$child" >&3
exec 3>&-
(
  read -r _ <&4
  kill -s "$signal" "$child" 2>/dev/null || exit 0
  while [ "$grace" -gt 0 ] && kill -0 "$child" 2>/dev/null; do sleep 1; grace=$((grace - 1)); done
  kill -s KILL "$child" 2>/dev/null
) >/dev/null 2>&1 &
reader=$!
exec 4<&-
wait "$child"
code=$?
kill "$reader" 2>/dev/null
exit "$code"
`;

function supervised(
  pid: number,
  exited: Promise<Exit>,
  watchdog: ChildProcess,
  options: SupervisedOptions,
): Supervised {
  const identity = identityOf(pid);
  let isRunning = true;
  void exited.then(() => {
    isRunning = false;
    // somebody killed the watchdog and not the program: nothing would end it any more
    if (isStillRunning(identity) === true) process.kill(pid, 'SIGKILL');
  });
  const send = (signal: NodeJS.Signals) => {
    try {
      if (isRunning) process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const stop = async () => {
    // Whoever waits for the end must live to see it: with nothing else to do, Node would leave in the middle (exit code 13).
    watchdog.ref();
    send(options.stopSignal);
    const timer = setTimeout(() => send('SIGKILL'), options.graceMs);
    try {
      return await exited;
    } finally {
      clearTimeout(timer);
    }
  };
  return { pid, exited, isRunning: () => isRunning, stop };
}

/** sh reports a child ended by signal n as exit code 128 + n. */
function exitOf(watchdog: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    watchdog.once('error', () => resolve({ code: 127, signal: null }));
    watchdog.once('exit', (code, signal) => {
      resolve(
        code !== null && code > 128 ? { code: null, signal: signalNamed(code - 128) } : { code, signal },
      );
    });
  });
}

function signalNamed(number: number): NodeJS.Signals | null {
  const names: Readonly<Record<number, NodeJS.Signals>> = {
    1: 'SIGHUP',
    2: 'SIGINT',
    3: 'SIGQUIT',
    6: 'SIGABRT',
    9: 'SIGKILL',
    11: 'SIGSEGV',
    15: 'SIGTERM',
  };
  return names[number] ?? null;
}

async function firstNumber(channel: Readable, exited: Promise<Exit>, program: string): Promise<number> {
  const line = new Promise<string>((resolve) => {
    let text = '';
    channel.setEncoding('utf8');
    channel.on('data', (chunk: string) => {
      text += chunk;
    });
    channel.once('close', () => resolve(text));
  });
  const pid = Number((await line).trim());
  if (Number.isInteger(pid) && pid > 1) return pid;
  await exited;
  throw new Error(`cannot start ${program}: /bin/sh did not report its process id`);
}
