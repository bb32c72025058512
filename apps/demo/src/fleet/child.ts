import { type ChildProcess, fork } from 'node:child_process';
import type { FromChild, ToChild } from './messages.js';

/** A forked process and the questions it answers. */
export interface Child {
  readonly pid: number;
  ask<T extends FromChild['type']>(message: ToChild, answer: T): Promise<Extract<FromChild, { type: T }>>;
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 8_000;

export const forkChild = (script: URL, name: string): Child => {
  const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  let gone: string | null = null;
  child.on('exit', (code, signal) => {
    gone = `${name} (pid ${child.pid}) ended with ${signal ?? `code ${code}`}`;
  });
  return {
    pid: child.pid!,
    ask: (message, answer) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(new Error(gone));
        const settle = (finish: () => void): void => {
          child.off('message', hear);
          child.off('exit', die);
          finish();
        };
        const hear = (said: FromChild): void => {
          if (said.type === answer) settle(() => resolve(said as never));
          else if (said.type === 'failed') settle(() => reject(new Error(`${name}: ${said.message}`)));
        };
        const die = (): void => settle(() => reject(new Error(gone ?? `${name} ended`)));
        child.on('message', hear);
        child.on('exit', die);
        child.send(message);
      }),
    stop: () => stopChild(child),
  };
};

const stopChild = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    if (child.connected) child.send({ type: 'stop' } satisfies ToChild);
    else child.kill('SIGTERM');
  });
