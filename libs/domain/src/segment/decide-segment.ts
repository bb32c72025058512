import type { Fact } from '@headgate/contracts';
import { CommandRefused } from '../command-refused.js';
import type { Command } from '../commands.js';
import { describeProblem, type Problem } from '../flag/problem.js';
import type { Segment } from './segment.js';

export type SegmentCommand = Extract<
  Command,
  { type: 'create-segment' | 'change-segment' | 'remove-segment' }
>;

/** What a segment's decider has to know besides the segment. */
export interface SegmentSurroundings {
  readonly channelExists: boolean;
  /** The segment that already has the wanted name in the channel. */
  readonly sameName: Segment | undefined;
  /** Keys of the flags whose rules refer to it. */
  readonly usedBy: readonly string[];
  /** What is wrong with the definition that the command brings. */
  readonly problems: readonly Problem[];
}

export const decideSegment = (
  state: Segment | undefined,
  command: SegmentCommand,
  around: SegmentSurroundings,
): Fact => {
  if (command.type === 'create-segment') {
    const { channel, name, definition, why } = command;
    if (!around.channelExists)
      throw new CommandRefused('channel-unknown', `project "${command.project}" has no channel "${channel}"`);
    if (state || around.sameName?.status === 'active')
      throw new CommandRefused('already-exists', `channel "${channel}" has a segment "${name}" already`);
    refuseInvalid(name, around.problems);
    return { type: 'segment-created.v1', data: { channel, name, definition, why } };
  }
  if (state?.status !== 'active')
    throw new CommandRefused(
      'not-found',
      `project "${command.project}" has no segment ${state ? `"${state.name}" any more` : command.segmentId}`,
    );
  if (command.type === 'change-segment') {
    refuseInvalid(state.name, around.problems);
    return { type: 'segment-changed.v1', data: { definition: command.definition, why: command.why } };
  }
  if (around.usedBy.length > 0)
    throw new CommandRefused(
      'segment-in-use',
      `segment "${state.name}" is used by ${around.usedBy.map((key) => `"${key}"`).join(', ')}`,
    );
  return { type: 'segment-removed.v1', data: { why: command.why } };
};

const refuseInvalid = (name: string, problems: readonly Problem[]): void => {
  const lines = problems.map(describeProblem);
  if (lines.length > 0)
    throw new CommandRefused('segment-invalid', `segment "${name}": ${lines.join('; ')}`, lines);
};
