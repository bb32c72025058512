import {
  checkFlagFile,
  type FlagFile,
  guessSource,
  type Imported,
  type ImportOptions,
  importFlagd,
  importGoFeatureFlag,
  importUnleash,
  type Problem,
  parseFlagFile,
  SOURCES,
  type Source,
  syntaxProblems,
} from '@headgate/flag-file';
import { CommandFailed, EXIT } from '../exit.js';
import { readTextOf } from '../options.js';
import type { Terminal } from '../terminal.js';
import { nameOf, problemsIn } from './flag-file-problem.js';

export interface SourceOptions extends ImportOptions {
  readonly from?: Source;
  readonly environment?: string;
}

export interface ReadSource {
  readonly source: Source;
  readonly imported: Imported & { readonly file: FlagFile };
  /** Problems that the server would find; a flag file says where they stand. */
  readonly check: (channel: Pick<FlagFile, 'flags' | 'segments'>) => readonly Problem[];
}

/** Flags of any known origin, from a file or stdin. */
export const readSource = async (
  terminal: Terminal,
  path: string,
  options: SourceOptions,
): Promise<ReadSource> => {
  const text = await readTextOf(terminal, path);
  const form = path.endsWith('.toml') ? 'toml' : 'yaml';
  // A flag file that is broken is one all the same: its reader says where.
  const source =
    options.from ?? guessSource(text, form) ?? (/^\s*["']?schema/m.test(text) ? 'headgate' : undefined);
  const unread = source === undefined ? syntaxProblems(text, form) : [];
  if (unread.length > 0) throw problemsIn(path, unread);
  if (source === undefined)
    throw new CommandFailed(
      EXIT.invalid,
      `${nameOf(path)} is no flag file that is known`,
      `Say whose it is: --from ${SOURCES.join(', ')}.`,
    );
  if (source === 'headgate') return ownFile(text, path);
  const imported = {
    flagd: () => importFlagd(text),
    unleash: () => importUnleash(text, options),
    'go-feature-flag': () => importGoFeatureFlag(text, { ...options, form }),
  }[source]();
  const { file } = imported;
  if (!file) throw problemsIn(path, imported.problems);
  return {
    source,
    imported: { ...imported, file },
    check: (channel) => checkFlagFile(file, undefined, channel),
  };
};

const ownFile = (text: string, path: string): ReadSource => {
  const { file, problems, locate } = parseFlagFile(text);
  if (!file || problems.length > 0) throw problemsIn(path, problems);
  return {
    source: 'headgate',
    imported: {
      file,
      problems,
      report: { carried: Object.keys(file.flags), notCarried: [], variantChanges: [] },
    },
    check: (channel) => checkFlagFile(file, locate, channel),
  };
};
