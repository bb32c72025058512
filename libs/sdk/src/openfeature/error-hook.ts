import type { Hook } from '@openfeature/server-sdk';
import type { Headgate } from '../headgate.js';

/**
 * A hook that counts evaluations that ended in an error as `flag_errors` of this instance's report, whichever provider made
 * them, so that a rollout can be judged by it. Not among the provider's own hooks: hooks cost every evaluation.
 */
export const flagErrorHook = (headgate: Headgate): Hook => ({
  error: () => headgate.counter('flag_errors').add(),
});
