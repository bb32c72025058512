import { type IncomingMessage, request } from 'node:http';
import { join, resolve } from 'node:path';
import { problem } from '@headgate/contracts';
import { CommandFailed, EXIT, exitOf } from '../exit.js';
import type { Terminal } from '../terminal.js';

/**
 * Asks the running server through the socket inside its data folder, which only the user who runs it can enter; no token is needed.
 * For lost tokens, and for a lost log, which has the tokens.
 */
export const askLocally = (terminal: Terminal, dataDir: string, path: string): Promise<unknown> => {
  const socketPath = join(resolve(terminal.cwd, dataDir), 'run', 'local.sock');
  return new Promise((done, failed) => {
    const options = { socketPath, method: 'POST', path, signal: terminal.interrupted };
    const asking = request(options, (answer) => {
      takeIn(answer)
        .then((text) => done(read(text, answer.statusCode ?? 0)))
        .catch(failed);
    });
    asking.on('error', (cause: NodeJS.ErrnoException) => failed(unreachable(socketPath, cause)));
    asking.end();
  });
};

const takeIn = async (answer: IncomingMessage): Promise<string> => {
  let text = '';
  answer.setEncoding('utf8');
  for await (const part of answer) text += part as string;
  return text;
};

const read = (text: string, status: number): unknown => {
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // The same as an answer of another form.
  }
  if (status === 200) return body;
  const refused = problem.safeParse(body);
  const { code, message, next } = refused.success
    ? refused.data.error
    : { code: '', message: `the server answered ${status}`, next: 'See what the server printed.' };
  throw new CommandFailed(exitOf(code, status), message, next);
};

const unreachable = (socketPath: string, { code, message }: NodeJS.ErrnoException): CommandFailed =>
  code === 'EACCES'
    ? new CommandFailed(
        EXIT.notAllowed,
        `${socketPath} may not be opened`,
        'Run this as the user who runs the server.',
      )
    : new CommandFailed(
        EXIT.unreachable,
        `no server answers at ${socketPath} (${code ?? message})`,
        'Start the server with `npm start`, and name its folder with --data-dir.',
      );
