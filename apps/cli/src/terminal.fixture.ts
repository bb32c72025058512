import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import type { Terminal } from './terminal.js';

export interface SpecTerminal {
  readonly terminal: Terminal;
  readonly out: () => string;
  readonly err: () => string;
}

/** A terminal that is none: what a command line run in this process reads and writes. */
export const terminalIn = (
  folder: string,
  env: Readonly<Record<string, string>>,
  input: string | Uint8Array = '',
): SpecTerminal => {
  const written = { out: '', err: '' };
  const stream = (to: 'out' | 'err'): PassThrough => {
    const taken = new PassThrough();
    taken.on('data', (part: Buffer) => {
      written[to] += part.toString();
    });
    return taken;
  };
  const stdin = new PassThrough();
  stdin.end(input);
  return {
    terminal: {
      env,
      cwd: folder,
      home: folder,
      stdin,
      out: stream('out'),
      err: stream('err'),
      now: Date.now,
      newId: randomUUID,
      interrupted: new AbortController().signal,
    },
    out: () => written.out,
    err: () => written.err,
  };
};
