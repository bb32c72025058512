import { acknowledged, type ChannelView, channelView } from '@headgate/contracts';
import type { Command } from 'commander';
import { z } from 'zod';
import { commandIdOption, parseDuration, whyOption } from '../options.js';
import { acknowledge } from '../output/acknowledge.js';
import { duration, instant } from '../output/figures.js';
import { printList, printOne, type Shown } from '../output/print.js';
import { openSession } from '../session.js';
import type { Terminal } from '../terminal.js';

const shown: Shown<ChannelView> = {
  name: ({ slug }) => `channel/${slug}`,
  columns: {
    channel: ({ slug }) => slug,
    project: ({ project }) => project,
    'beat lifetime': ({ beatLifetimeMs }) => duration(beatLifetimeMs),
    created: ({ createdAt }) => instant(createdAt),
  },
};

interface CreateOptions {
  readonly why: string;
  readonly commandId?: string;
  readonly beatLifetime?: number;
}

export const addChannelCommands = (program: Command, terminal: Terminal): void => {
  const channel = program.command('channel').description('one stream of flags and releases of a project');
  channel
    .command('create <channel>')
    .description('create a channel')
    .option(
      '--beat-lifetime <duration>',
      'how long readers stay fresh without hearing from us',
      parseDuration,
    )
    .addOption(whyOption())
    .addOption(commandIdOption())
    .action(async (slug: string, { why, commandId, beatLifetime }: CreateOptions, command: Command) => {
      const session = openSession(terminal, command);
      const project = await session.project();
      const answer = await session.client.call({
        method: 'POST',
        path: ['v1', 'projects', project, 'channels'],
        body: { slug, ...(beatLifetime === undefined ? {} : { beatLifetimeMs: beatLifetime }), why },
        answer: acknowledged,
        ...(commandId === undefined ? {} : { commandId }),
      });
      const sentence = `created channel ${slug} of ${project}`;
      acknowledge(terminal, session.settings.output, `channel/${slug}`, sentence, answer);
    });
  channel
    .command('list')
    .description('list channels')
    .action(async (_options: unknown, command: Command) => {
      const session = openSession(terminal, command);
      const path = ['v1', 'projects', await session.project(), 'channels'];
      const answer = z.object({ items: z.array(channelView) });
      const { items } = await session.client.call({ method: 'GET', path, answer });
      printList(terminal, session.settings.output, shown, items);
    });
  channel
    .command('get <channel>')
    .description('show a channel')
    .action(async (slug: string, _options: unknown, command: Command) => {
      const session = openSession(terminal, command);
      const path = ['v1', 'projects', await session.project(), 'channels', slug];
      const view = await session.client.call({ method: 'GET', path, answer: channelView });
      printOne(terminal, session.settings.output, shown, view);
    });
};
