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
  return {
    type: 'channel-created.v1',
    data: { slug: command.slug, beatLifetimeMs: command.beatLifetimeMs, why: command.why },
  };
};
