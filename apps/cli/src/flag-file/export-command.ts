import { exportFlagd, type FlagFile, formatFlagFile, formatFlagFileAsJson } from '@headgate/flag-file';
import { type Command, Option } from 'commander';
import { openSession } from '../session.js';
import { say, type Terminal } from '../terminal.js';
import { type ChannelContent, channelContent } from './channel-content.js';

interface ExportOptions {
  readonly format: 'headgate' | 'flagd';
  readonly plain?: boolean;
}

export const addExportCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('export')
    .description('print the flags and segments of a channel as one file')
    .addOption(
      new Option('--format <format>', 'form of the file').choices(['headgate', 'flagd']).default('headgate'),
    )
    .option('--plain', 'flagd: leave out the entries of metadata that `headgate import` reads back')
    .action(async ({ format, plain }: ExportOptions, command: Command) => {
      const session = openSession(terminal, command);
      const content = await channelContent(session);
      remark(terminal, content);
      if (format === 'headgate') {
        const write = session.settings.output === 'json' ? formatFlagFileAsJson : formatFlagFile;
        terminal.out.write(write(content.file));
        return;
      }
      const { json, notCarried } = exportFlagd(asServed(content), { keepsDefinitions: !plain });
      for (const { place, why } of notCarried) say(terminal, `not carried: ${place}: ${why}`);
      terminal.out.write(`${JSON.stringify(json, null, 2)}\n`);
    });
};

/** A definition says neither of these; whoever reads the file should know. */
const remark = (terminal: Terminal, { flags, channel }: ChannelContent): void => {
  for (const { key, status, rolloutId } of flags) {
    if (status === 'killed')
      say(terminal, `${key} is killed on ${channel}; the file has the definition under the kill`);
    if (rolloutId !== null)
      say(terminal, `${key} is in rollout ${rolloutId}; the file has its definition without it`);
  }
};

/** flagd has no kill: what is killed is disabled. Clients select the set by its id, as at the gateway. */
const asServed = ({ file, flags, project, channel }: ChannelContent): FlagFile => {
  const killed = new Set(flags.filter(({ status }) => status === 'killed').map(({ key }) => key));
  return {
    ...file,
    metadata: { flagSetId: `${project}/${channel}` },
    flags: Object.fromEntries(
      Object.entries(file.flags).map(([key, flag]) => [
        key,
        killed.has(key) ? { ...flag, state: 'DISABLED' as const } : flag,
      ]),
    ),
  };
};
