import { Command, Option } from 'commander';
import { addChannelCommands } from './channel/channel-command.js';
import { addFlagCommands } from './flag/flag-command.js';
import { addExportCommand } from './flag-file/export-command.js';
import { addImportCommand } from './flag-file/import-command.js';
import { addValidateCommand } from './flag-file/validate-command.js';
import { addOperationCommands } from './operations/operations-command.js';
import { addProjectCommands } from './project/project-command.js';
import { addRolloutCommands } from './rollout/rollout-command.js';
import { addSegmentCommands } from './segment/segment-command.js';
import { OUTPUTS } from './settings/settings.js';
import type { Terminal } from './terminal.js';
import { addTokenCommands } from './token/token-command.js';

const EXIT_CODES = `
Exit codes: 0 ok, 1 unexpected, 2 usage, 3 drift found, 4 input refused, 5 not allowed, 6 not found or conflict,
7 rollout did not complete, 8 time is up, 9 server unreachable, 130 interrupted.
Data goes to stdout, everything else to stderr. Settings: flags, then HEADGATE_* variables, then .headgate/cli.json, then
the user's headgate/cli.json. Tokens come from HEADGATE_TOKEN, a file or stdin, never from arguments.`;

/** The whole command line. Never exits by itself and never writes but to the terminal it was given. */
export const buildProgram = (terminal: Terminal, version: string): Command => {
  const program = new Command('headgate')
    .description('Continuous delivery for software that other people run')
    .version(version)
    .option('--server <url>', 'address of the server')
    .option('--token-file <file>', 'file that holds the token, - for stdin')
    .option('--project <project>', 'project to work on')
    .option('--channel <channel>', 'channel to work on')
    .addOption(new Option('-o, --output <form>', 'form of the data').choices(OUTPUTS))
    .option('--no-input', 'never ask')
    .addHelpText('after', EXIT_CODES)
    .showSuggestionAfterError()
    .showHelpAfterError('next: add --help to the command to see how it is used')
    .configureOutput({
      writeOut: (text) => void terminal.out.write(text),
      writeErr: (text) => void terminal.err.write(text),
    })
    .exitOverride();
  addProjectCommands(program, terminal);
  addChannelCommands(program, terminal);
  addFlagCommands(program, terminal);
  addSegmentCommands(program, terminal);
  addValidateCommand(program, terminal);
  addExportCommand(program, terminal);
  addImportCommand(program, terminal);
  addRolloutCommands(program, terminal);
  addTokenCommands(program, terminal);
  addOperationCommands(program, terminal);
  inherit(program);
  return program;
};

/** Settings like exitOverride reach subcommands only when they are made by `command()` after them; nested ones are set here. */
const inherit = (command: Command): void => {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
};
