import { createInterface } from 'node:readline/promises';
import { CommandFailed, EXIT, usageError } from './exit.js';
import { canAsk, type Terminal } from './terminal.js';

/** For what is felt everywhere at once: people type the name; scripts say --yes. */
export const confirmByName = async (
  terminal: Terminal,
  what: string,
  name: string,
  options: { readonly yes?: boolean; readonly input?: boolean },
): Promise<void> => {
  if (options.yes) return;
  if (options.input === false || !canAsk(terminal)) {
    throw usageError(`${what}: nobody is there to confirm it`, 'Pass --yes where nobody can be asked.');
  }
  const asking = createInterface({ input: terminal.stdin, output: terminal.err });
  try {
    const typed = await asking.question(`${what}. Type "${name}" to go on: `, {
      signal: terminal.interrupted,
    });
    if (typed.trim() === name) return;
    throw new CommandFailed(EXIT.usage, 'not confirmed', `Type exactly "${name}", or pass --yes.`);
  } finally {
    asking.close();
  }
};
