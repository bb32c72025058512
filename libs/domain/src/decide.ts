import type { Fact } from '@headgate/contracts';
import { decideChannel } from './channel/decide-channel.js';
import { CommandRefused } from './command-refused.js';
import type { Command } from './commands.js';
import { decideFlag } from './flag/decide-flag.js';
import { decideProject } from './project/decide-project.js';
import { flagName, type ProjectState } from './project-state.js';
import { decideRollout } from './rollout/decide-rollout.js';
import { decideToken } from './token/decide-token.js';

/** The one fact that follows from a command, or `CommandRefused`. Pure: the same state, command and time give the same answer. */
export const decide = (state: ProjectState, command: Command, now: number): Fact => {
  if (command.type === 'create-token' || command.type === 'revoke-token')
    return decideToken(state.tokens.get(command.tokenId), command, now);
  if (command.type === 'create-project') return decideProject(state.project, command);
  if (state.project.status === 'absent')
    throw new CommandRefused('project-unknown', `there is no project "${command.project}"`);
  switch (command.type) {
    case 'create-channel':
      return decideChannel(state.channels.get(command.slug), command);
    case 'create-flag': {
      const sameKey = state.flagIds.get(flagName(command.channel, command.key));
      return decideFlag(state.flags.get(command.flagId), command, {
        channelExists: state.channels.has(command.channel),
        sameKey: sameKey === undefined ? undefined : state.flags.get(sameKey),
      });
    }
    case 'change-flag':
    case 'kill-flag':
    case 'lift-kill':
    case 'archive-flag':
    case 'restore-flag':
      return decideFlag(state.flags.get(command.flagId), command, {
        channelExists: true,
        sameKey: undefined,
      });
    case 'request-rollout':
      return decideRollout(state.rollouts.get(command.rolloutId), command, state.flags.get(command.flagId));
    case 'record-plan':
    case 'begin-rollout':
    case 'give-verdict':
    case 'promote-rollout':
    case 'roll-back-rollout':
    case 'stop-rollout':
    case 'abort-rollout': {
      const rollout = state.rollouts.get(command.rolloutId);
      return decideRollout(rollout, command, rollout && state.flags.get(rollout.flagId));
    }
  }
};
