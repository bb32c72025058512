import { createdTokenView } from '@headgate/contracts';
import type { Command } from 'commander';
import { askLocally } from '../api/local-server.js';
import { CommandFailed, EXIT } from '../exit.js';
import { printJson, printLines } from '../output/print.js';
import { findSettings, type GlobalOptions } from '../settings/settings.js';
import { say, type Terminal } from '../terminal.js';

/** Asks the server on this machine: whoever may open its folder owns the installation anyway. */
export const recoverToken = async (terminal: Terminal, dataDir: string, command: Command): Promise<void> => {
  const settings = findSettings(terminal, command.optsWithGlobals<GlobalOptions>());
  const created = createdTokenView.safeParse(await askLocally(terminal, dataDir, '/token'));
  if (!created.success) {
    throw new CommandFailed(EXIT.unexpected, 'the server gave no token', 'See what the server printed.');
  }
  const { id, secret } = created.data;
  say(terminal, `created admin token ${id}; revoke the one you lost: headgate token revoke ID --why lost`);
  if (settings.output === 'json') printJson(terminal, created.data);
  else printLines(terminal, [secret]);
};
