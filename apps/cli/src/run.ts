import { CommanderError } from 'commander';
import { CommandFailed, EXIT } from './exit.js';
import { printable } from './output/table.js';
import { buildProgram } from './program.js';
import { say, type Terminal } from './terminal.js';

/** Runs one command line and says how it ended. Never throws. */
export const run = async (args: readonly string[], terminal: Terminal, version: string): Promise<number> => {
  try {
    await buildProgram(terminal, version).parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (cause) {
    if (terminal.interrupted.aborted) return EXIT.interrupted;
    if (cause instanceof CommanderError) return commanderExit(cause);
    if (cause instanceof CommandFailed) return explain(cause, terminal);
    say(terminal, `error: ${printable(cause instanceof Error ? cause.message : String(cause))}`);
    say(terminal, 'next: this is a fault of the command line; please report it');
    if (terminal.env.HEADGATE_DEBUG) say(terminal, cause instanceof Error ? (cause.stack ?? '') : '');
    return EXIT.unexpected;
  }
};

/** Commander has said what was wrong. Its own exit code for a wrong use is 1; ours is 2. Help asked for is no error. */
const commanderExit = ({ exitCode, code }: CommanderError): number =>
  exitCode === 0 || code === 'commander.helpDisplayed' ? EXIT.ok : EXIT.usage;

const explain = ({ exit, message, next, details }: CommandFailed, terminal: Terminal): number => {
  say(terminal, `error: ${printable(message)}`);
  for (const detail of details) say(terminal, `  - ${printable(detail)}`);
  say(terminal, `next: ${printable(next)}`);
  return exit;
};
