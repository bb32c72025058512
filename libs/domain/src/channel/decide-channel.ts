import type { Fact } from '@headgate/contracts';
import { CommandRefused } from '../command-refused.js';
import type { Command } from '../commands.js';
import type { Channel } from './channel.js';

export const decideChannel = (
  existing: Channel | undefined,
  command: Extract<Command, { type: 'create-channel' }>,
): Fact => {
  if (existing)
    throw new CommandRefused(
      'already-exists',
      `channel "${command.slug}" of project "${command.project}" exists already`,
    );
  const { slug, beatLifetimeMs, attributes, why } = command;
  return {
    type: 'channel-created.v1',
    data: {
      slug,
      beatLifetimeMs,
      ...(attributes === undefined ? {} : { attributes: [...attributes] }),
      why,
    },
  };
};
