import { soundPart } from '@headgate/flag-file';
import type { Command } from 'commander';
import { CommandFailed } from '../exit.js';
import { printJson, printLines } from '../output/print.js';
import { findSettings, type GlobalOptions } from '../settings/settings.js';
import { say, type Terminal } from '../terminal.js';
import { environmentOption, fromOption } from './flag-file-options.js';
import { nameOf, problemsIn } from './flag-file-problem.js';
import { printReport } from './print-report.js';
import { readSource, type SourceOptions } from './read-source.js';

/** Needs no server: the same checks as at its door, by the same code. */
export const addValidateCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('validate <file>')
    .description('check a flag file without a server, as the server would; - for stdin')
    .addOption(fromOption())
    .addOption(environmentOption())
    .action(async (path: string, options: SourceOptions, command: Command) => {
      const { output } = findSettings(terminal, command.optsWithGlobals<GlobalOptions>());
      try {
        const { source, imported, check } = await readSource(terminal, path, options);
        const problems = source === 'headgate' ? check({ flags: {} }) : [];
        if (problems.length > 0) throw problemsIn(path, problems);
        const { file, notCarried } = soundPart(imported.file);
        const left = [...imported.report.notCarried, ...notCarried];
        printReport(terminal, { ...imported.report, notCarried: left }, { isMeasured: false });
        const counts = {
          flags: Object.keys(file.flags).length,
          segments: Object.keys(file.segments ?? {}).length,
        };
        say(
          terminal,
          `${nameOf(path)}: ${counts.flags} flags and ${counts.segments} segments are sound (${source})`,
        );
        if (output === 'json') printJson(terminal, { valid: true, source, ...counts, notCarried: left });
        else printLines(terminal, [nameOf(path)]);
      } catch (cause) {
        if (output === 'json' && cause instanceof CommandFailed)
          printJson(terminal, { valid: false, problems: [cause.message, ...cause.details] });
        throw cause;
      }
    });
};
