import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { createdTokenView } from '@headgate/contracts';
import type { Command } from 'commander';
import { CommandFailed, EXIT } from '../exit.js';
import { printJson, printLines } from '../output/print.js';
import { findSettings, type GlobalOptions } from '../settings/settings.js';
import { say, type Terminal } from '../terminal.js';

/**
 * Asks the running server through a socket inside its data folder, which only the user who runs it can enter. Whoever can do that
 * owns the installation anyway, so no token is asked for.
 */
export const recoverToken = async (terminal: Terminal, dataDir: string, command: Command): Promise<void> => {
  const settings = findSettings(terminal, command.optsWithGlobals<GlobalOptions>());
  const socketPath = join(resolve(terminal.cwd, dataDir), 'run', 'recover.sock');
  const created = createdTokenView.safeParse(await ask(socketPath, terminal.interrupted));
  if (!created.success) {
    throw new CommandFailed(EXIT.unexpected, 'the server gave no token', 'See what the server printed.');
  }
  say(
    terminal,
    `created admin token ${created.data.id}; revoke the one you lost: headgate token revoke ID --why lost`,
  );
  if (settings.output === 'json') printJson(terminal, created.data);
  else printLines(terminal, [created.data.secret]);
};

const ask = (socketPath: string, signal: AbortSignal): Promise<unknown> =>
  new Promise((resolvePromise, reject) => {
    const asking = request(
      { socketPath, method: 'POST', path: '/token', signal, timeout: 30_000 },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('error', reject);
        answer.on('end', () => {
          try {
            resolvePromise(JSON.parse(text));
          } catch {
            resolvePromise(null);
          }
        });
      },
    );
    asking.on('timeout', () => asking.destroy(new Error('no answer in 30 s')));
    asking.on('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new CommandFailed(
          cause.code === 'EACCES' ? EXIT.notAllowed : EXIT.unreachable,
          `no server answers at ${socketPath} (${cause.code ?? cause.message})`,
          cause.code === 'EACCES'
            ? 'Run this as the user who runs the server.'
            : 'Start the server with `npm start` and name its folder with --data-dir.',
        ),
      ),
    );
    asking.end();
  });
