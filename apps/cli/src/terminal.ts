import type { ReadStream, WriteStream } from 'node:tty';

/** What a command may touch of its process: data to `out`, everything else to `err`. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  readonly stdin: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY'>>;
  readonly out: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;
  readonly err: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY'>>;
  readonly now: () => number;
  readonly newId: () => string;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly interrupted: AbortSignal;
}

export const say = (terminal: Terminal, line: string): void => {
  terminal.err.write(`${line}\n`);
};

/** Colours only for people, and never where NO_COLOR (https://no-color.org) says so. */
export const hasColour = ({ env, out }: Terminal): boolean =>
  out.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';

/** May we ask questions? Not in CI, not without a terminal. */
export const canAsk = ({ env, stdin, err }: Terminal): boolean =>
  stdin.isTTY === true && err.isTTY === true && (env.CI ?? '') === '';

const MAX_INPUT_BYTES = 4 * 1_048_576;

/** All of stdin as text, up to 4 MiB. */
export const readStdin = async (terminal: Terminal): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of terminal.stdin) {
    const buffer = Buffer.from(chunk as Uint8Array);
    bytes += buffer.length;
    if (bytes > MAX_INPUT_BYTES) throw new Error('more than 4 MiB on stdin');
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
};
