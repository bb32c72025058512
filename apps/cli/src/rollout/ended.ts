import type { RolloutView } from '@headgate/contracts';
import { CommandFailed, EXIT } from '../exit.js';

/** What a finished rollout means for a pipeline: nothing to say when it completed, else exit code 7. */
export const failUnlessCompleted = ({ status, id, endReason }: RolloutView): void => {
  if (status === 'completed') return;
  throw new CommandFailed(
    EXIT.rolloutFailed,
    `rollout ${id} is ${status}${endReason ? `: ${endReason}` : ''}`,
    `See why: headgate rollout why ${id}.`,
  );
};
