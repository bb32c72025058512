import type { Fact } from '@headgate/contracts';
import { decideChannel } from './channel/decide-channel.js';
import { CommandRefused } from './command-refused.js';
import type { Command } from './commands.js';
import { refuseBadFlag, refuseBadSegmentChange } from './flag/check-change.js';
import { decideFlag } from './flag/decide-flag.js';
import { decideProject } from './project/decide-project.js';
import { flagName, type ProjectState } from './project-state.js';
import { decideRollout } from './rollout/decide-rollout.js';
import { checkSegment } from './segment/check-segment.js';
import { decideSegment, type SegmentCommand } from './segment/decide-segment.js';
import { surroundingsOf } from './surroundings-of.js';
import { decideToken } from './token/decide-token.js';
import { segmentUse } from './used-by.js';

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
        refuseBad: (flag, definition) => refuseBadFlag(state, flag, definition),
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
        refuseBad: (flag, definition) => refuseBadFlag(state, flag, definition),
      });
    case 'create-segment':
      return decideSegment(state.segments.get(command.segmentId), command, {
        channelExists: state.channels.has(command.channel),
        sameName: state.segments.get(state.segmentIds.get(flagName(command.channel, command.name)) ?? ''),
        usedBy: [],
        problems: checkSegment(command.definition, surroundingsOf(state, command.channel)),
      });
    case 'change-segment':
    case 'remove-segment':
      return changeSegment(state, command);
    case 'request-rollout':
      return decideRollout(state.rollouts.get(command.rolloutId), command, state.flags.get(command.flagId));
    case 'record-plan':
    case 'begin-rollout':
    case 'give-verdict':
    case 'raise-signal':
    case 'promote-rollout':
    case 'roll-back-rollout':
    case 'stop-rollout':
    case 'abort-rollout': {
      const rollout = state.rollouts.get(command.rolloutId);
      return decideRollout(rollout, command, rollout && state.flags.get(rollout.flagId));
    }
  }
};

const changeSegment = (
  state: ProjectState,
  command: Exclude<SegmentCommand, { type: 'create-segment' }>,
): Fact => {
  const segment = state.segments.get(command.segmentId);
  const ids = segment ? state.usedBy.get(segmentUse(segment.channel, segment.name)) : undefined;
  const isChange = command.type === 'change-segment' && segment !== undefined;
  const fact = decideSegment(segment, command, {
    channelExists: true,
    sameName: undefined,
    usedBy: [...(ids ?? [])].map((id) => state.flags.get(id)?.key ?? id).sort(),
    problems: isChange ? checkSegment(command.definition, surroundingsOf(state, segment.channel)) : [],
  });
  if (isChange) refuseBadSegmentChange(state, segment, command.definition.when);
  return fact;
};
