import type { RolloutView } from '@headgate/contracts';
import { CommandRefused } from '@headgate/domain';
import type { VerdictAnswer } from '../api/schemas.js';

const BAD: readonly RolloutView['status'][] = ['rolled-back', 'stopped', 'aborted'];

/** The newest verdict in the shape that pipelines poll. Refused while there is none: silence must not look like a pass. */
export const verdictOf = (rollout: RolloutView): VerdictAnswer => {
  const newest = rollout.verdicts.at(-1);
  if (!newest) {
    throw new CommandRefused(
      'rollout-not-there-yet',
      `rollout ${rollout.id} has no verdict yet (${rollout.status})`,
    );
  }
  return {
    data: {
      verdict: newest.decision,
      ok: !BAD.includes(rollout.status) && newest.decision !== 'roll-back' && newest.decision !== 'stop',
      status: rollout.status,
      revision: newest.id,
      code: newest.code,
      reasons: [...newest.reasons],
    },
  };
};
