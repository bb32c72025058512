import type { Acknowledged } from '@headgate/contracts';
import { CommandRefused, type ProjectState } from '@headgate/domain';

interface Placed {
  readonly aggregateId: string;
  readonly epoch: number;
  readonly position: number;
  readonly hash: string;
}

/** `id` is the aggregate's: the flag, the rollout that the command made or changed. */
export const acknowledge = (
  project: string,
  { aggregateId, epoch, position, hash }: Placed,
  repeated: boolean,
): Acknowledged => ({
  id: aggregateId,
  project,
  epoch,
  position,
  hash,
  repeated,
});

/** The answer already given to a command id of this project; null when there is none. Throws when it was to another command. */
export const answerTo = (
  state: ProjectState,
  asked: { readonly project: string; readonly commandId: string; readonly commandDigest: string },
): Acknowledged | null => {
  const answered = state.answered.get(asked.commandId);
  if (answered === undefined) return null;
  if (answered.commandDigest !== asked.commandDigest)
    throw new CommandRefused(
      'command-id-reused',
      `command id ${asked.commandId} was used for another command, at position ${answered.position} of ${asked.project}`,
    );
  return acknowledge(asked.project, answered, true);
};
