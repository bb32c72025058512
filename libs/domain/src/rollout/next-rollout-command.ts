import type { Command } from '../commands.js';
import type { Flag } from '../flag/flag.js';
import { isFinal } from './decide-rollout.js';
import { isRunning, type Rollout } from './rollout.js';

/**
 * What the reactor has to do next for a rollout; `null` when it waits. A function of the state alone, so a restarted reactor
 * goes on where the log stands and two of them want the same thing.
 */
export const nextRolloutCommand = (
  project: string,
  rollout: Rollout,
  flag: Flag | undefined,
): Command | null => {
  if (!isRunning(rollout)) return null;
  const of = { project, rolloutId: rollout.id };
  if (flag?.status !== 'active') {
    const because = flag?.status === 'killed' ? 'flag-killed' : 'flag-archived';
    const why = flag?.status === 'killed' ? `flag killed: ${flag.killed.why}` : 'flag archived';
    return { type: 'abort-rollout', ...of, because, why };
  }
  if (rollout.status === 'planned')
    return { type: 'begin-rollout', ...of, why: `pre-period over: ${rollout.planned.why}`.slice(0, 2_000) };
  if (rollout.status !== 'baking' || !rollout.verdict || !isFinal(rollout.verdict)) return null;
  if (rollout.policy.mode === 'advisory') return null;
  const { id: verdictId, code, reasons, decision } = rollout.verdict;
  const why = `${code}: ${reasons[0] ?? 'no reason given'}`.slice(0, 2_000);
  if (decision === 'promote') return { type: 'promote-rollout', ...of, verdictId, why };
  return { type: decision === 'stop' ? 'stop-rollout' : 'roll-back-rollout', ...of, verdictId, why };
};
