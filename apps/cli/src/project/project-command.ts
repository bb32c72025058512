import { acknowledged, type ProjectView, projectView } from '@headgate/contracts';
import type { Command } from 'commander';
import { z } from 'zod';
import { commandIdOption, whyOption } from '../options.js';
import { acknowledge } from '../output/acknowledge.js';
import { instant } from '../output/figures.js';
import { printList, printOne, type Shown } from '../output/print.js';
import { openSession } from '../session.js';
import type { Terminal } from '../terminal.js';

const shown: Shown<ProjectView> = {
  name: ({ slug }) => `project/${slug}`,
  columns: {
    project: ({ slug }) => slug,
    name: ({ name }) => name,
    created: ({ createdAt }) => instant(createdAt),
  },
};

export const addProjectCommands = (program: Command, terminal: Terminal): void => {
  const project = program.command('project').description('the software being delivered');
  project
    .command('create <project>')
    .description('create a project')
    .option('--name <name>', 'name for people')
    .addOption(whyOption())
    .addOption(commandIdOption())
    .action(
      async (slug: string, options: { name?: string; why: string; commandId?: string }, command: Command) => {
        const { client, settings } = openSession(terminal, command);
        const { name, why, commandId } = options;
        const answer = await client.call({
          method: 'POST',
          path: ['v1', 'projects'],
          body: { slug, ...(name === undefined ? {} : { name }), why },
          answer: acknowledged,
          ...(commandId === undefined ? {} : { commandId }),
        });
        acknowledge(terminal, settings.output, `project/${slug}`, `created project ${slug}`, answer);
      },
    );
  project
    .command('list')
    .description('list projects')
    .action(async (_options: unknown, command: Command) => {
      const { client, settings } = openSession(terminal, command);
      const answer = z.object({ items: z.array(projectView) });
      const { items } = await client.call({ method: 'GET', path: ['v1', 'projects'], answer });
      printList(terminal, settings.output, shown, items);
    });
  project
    .command('get <project>')
    .description('show a project')
    .action(async (slug: string, _options: unknown, command: Command) => {
      const { client, settings } = openSession(terminal, command);
      const view = await client.call({ method: 'GET', path: ['v1', 'projects', slug], answer: projectView });
      printOne(terminal, settings.output, shown, view);
    });
};
