import type { Problem } from '@headgate/flag-file';
import { CommandFailed, EXIT } from '../exit.js';

/** As compilers say it, so that editors jump there. */
const lineOf = (file: string, { line, column, path, message, mend }: Problem): string =>
  `${nameOf(file)}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}. ${mend}`;

export const nameOf = (file: string): string => (file === '-' ? 'stdin' : file);

export const problemsIn = (file: string, problems: readonly Problem[]): CommandFailed =>
  new CommandFailed(
    EXIT.invalid,
    `${nameOf(file)} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`,
    'Mend the named places and try again.',
    problems.map((problem) => lineOf(file, problem)),
  );
