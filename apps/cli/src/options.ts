import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { CommandFailed, EXIT } from './exit.js';
import { durationMs } from './output/figures.js';
import { readStdin, type Terminal } from './terminal.js';

/** Every change says why; the sentence is kept for ever. */
export const whyOption = (): Option =>
  new Option('--why <reason>', 'why, in a sentence').makeOptionMandatory();

export const commandIdOption = (): Option =>
  new Option('--command-id <uuid>', 'id of this command: repeating it within 24 h changes nothing more');

export const yesOption = (): Option => new Option('--yes', 'do not ask');

export const parseDuration = (text: string): number => {
  const ms = durationMs(text);
  if (ms === undefined) throw new InvalidArgumentError('Use a number and ms, s, m, h or d, such as 30m.');
  return ms;
};

/** JSON of a file, or of stdin for `-`. */
export const readJson = async (terminal: Terminal, file: string): Promise<unknown> => {
  const text = file === '-' ? await readStdin(terminal) : readText(resolve(terminal.cwd, file));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const where = file === '-' ? 'stdin' : file;
    throw new CommandFailed(
      EXIT.invalid,
      `${where} is not JSON: ${(cause as Error).message}`,
      'Mend it and try again.',
    );
  }
};

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CommandFailed(
      EXIT.invalid,
      `${path} cannot be read (${code})`,
      'Name a file that can be read.',
    );
  }
};
