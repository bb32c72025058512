import type { Fact } from '@headgate/contracts';
import { CommandRefused } from '../command-refused.js';
import type { Command } from '../commands.js';
import type { Project } from './project.js';

export const decideProject = (
  state: Project,
  command: Extract<Command, { type: 'create-project' }>,
): Fact => {
  if (state.status === 'active')
    throw new CommandRefused(
      'already-exists',
      `project "${command.project}" exists since ${new Date(state.createdAt).toISOString()}`,
    );
  return {
    type: 'project-created.v1',
    data: { slug: command.project, name: command.name, why: command.why },
  };
};
