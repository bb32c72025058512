import type { Command } from 'commander';
import { buildProgram } from '../program.js';
import type { Terminal } from '../terminal.js';

/** docs/reference/command-line.md: every command as `--help` says it. Always the same text. */
export const commandLinePage = (terminal: Terminal): string => {
  const program = buildProgram(terminal, '');
  return [
    '# The command line',
    '',
    'This page is made from the commands themselves by `npm run reference -w @headgate/cli`.',
    '',
    ...block(program, 'headgate'),
    ...program.commands.flatMap((command) => pagesOf(command, 'headgate')),
  ].join('\n');
};

const pagesOf = (command: Command, parent: string): readonly string[] => {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((child) => pagesOf(child, name));
  return [`## ${name}`, '', ...block(command, name)];
};

const block = (command: Command, name: string): readonly string[] => {
  command.configureHelp({ helpWidth: 110 });
  const help = command
    .helpInformation()
    .trimEnd()
    .replace(/^Usage: .*$/m, `Usage: ${name} ${command.usage()}`);
  return ['```', help, '```', ''];
};
