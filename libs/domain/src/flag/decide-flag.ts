import type { Fact, FlagDefinition } from '@headgate/contracts';
import { CommandRefused } from '../command-refused.js';
import type { Command } from '../commands.js';
import type { Flag } from './flag.js';

export type FlagCommand = Extract<
  Command,
  { type: 'create-flag' | 'change-flag' | 'kill-flag' | 'lift-kill' | 'archive-flag' | 'restore-flag' }
>;

/** What a flag's decider has to know besides the flag. */
export interface FlagSurroundings {
  readonly channelExists: boolean;
  /** The flag that already has the wanted key in the channel. */
  readonly sameKey: Flag | undefined;
  /** Throws for a definition that cannot be published in the channel. */
  readonly refuseBad: (flag: Pick<Flag, 'id' | 'channel' | 'key'>, definition: FlagDefinition) => void;
}

export const decideFlag = (state: Flag | undefined, command: FlagCommand, around: FlagSurroundings): Fact => {
  if (command.type === 'restore-flag') return { type: 'flag-restored.v1', data: command.restored };
  if (command.type === 'create-flag') {
    if (!around.channelExists)
      throw new CommandRefused(
        'channel-unknown',
        `project "${command.project}" has no channel "${command.channel}"`,
      );
    if (state || (around.sameKey && around.sameKey.status !== 'archived'))
      throw new CommandRefused(
        'already-exists',
        `channel "${command.channel}" has a flag "${command.key}" already`,
      );
    const { flagId: id, channel, key, definition, why } = command;
    around.refuseBad({ id, channel, key }, definition);
    return { type: 'flag-created.v1', data: { channel, key, definition, why } };
  }
  if (!state)
    throw new CommandRefused(
      'not-found',
      `project "${command.project}" has no flag with id ${command.flagId}`,
    );
  if (state.status === 'archived')
    throw new CommandRefused('flag-archived', `flag "${state.key}" was archived`);
  switch (command.type) {
    case 'change-flag':
      if (state.split)
        throw new CommandRefused(
          'flag-in-rollout',
          `flag "${state.key}" is in rollout ${state.split.rolloutId}`,
        );
      around.refuseBad(state, command.definition);
      return { type: 'flag-changed.v1', data: { definition: command.definition, why: command.why } };
    case 'kill-flag':
      if (state.status === 'killed')
        throw new CommandRefused(
          'flag-already-killed',
          `flag "${state.key}" was killed: ${state.killed.why}`,
        );
      return { type: 'flag-killed.v1', data: { why: command.why } };
    case 'lift-kill':
      if (state.status !== 'killed')
        throw new CommandRefused('flag-not-killed', `flag "${state.key}" is not killed`);
      return { type: 'flag-kill-lifted.v1', data: { why: command.why } };
    case 'archive-flag':
      return { type: 'flag-archived.v1', data: { why: command.why } };
  }
};
