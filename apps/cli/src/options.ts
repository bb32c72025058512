import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { CommandFailed, EXIT, usageError } from './exit.js';
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
export const readJson = async (terminal: Terminal, file: string): Promise<unknown> =>
  parseJsonText(await readTextOf(terminal, file), file === '-' ? 'stdin' : file);

export const parseJsonText = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CommandFailed(
      EXIT.invalid,
      `${where} is not JSON: ${(cause as Error).message}`,
      'Mend it and try again.',
    );
  }
};

/** ISO 8601, or milliseconds since the epoch. */
export const parseInstant = (text: string): number => {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(ms) && ms >= 0) return ms;
  throw usageError(`"${text}" is no instant`, 'Write it like 2026-12-24T18:00:00Z.');
};

/** A file, or stdin for `-`. */
export const readTextOf = async (terminal: Terminal, file: string): Promise<string> =>
  file === '-' ? readStdin(terminal) : readText(resolve(terminal.cwd, file));

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
