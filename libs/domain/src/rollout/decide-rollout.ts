import type { Fact } from '@headgate/contracts';
import { CommandRefused } from '../command-refused.js';
import type { Command } from '../commands.js';
import type { Flag } from '../flag/flag.js';
import { isRunning, type Rollout, type RunningRollout, type Verdict } from './rollout.js';

export type RolloutCommand = Extract<
  Command,
  {
    type:
      | 'request-rollout'
      | 'record-plan'
      | 'begin-rollout'
      | 'give-verdict'
      | 'raise-signal'
      | 'promote-rollout'
      | 'roll-back-rollout'
      | 'stop-rollout'
      | 'abort-rollout';
  }
>;

/** `flag` is the rollout's flag; both are folded from the same chain, so a kill and a promote cannot pass each other. */
export const decideRollout = (
  state: Rollout | undefined,
  command: RolloutCommand,
  flag: Flag | undefined,
): Fact => {
  if (command.type === 'request-rollout') return request(state, command, flag);
  if (!state)
    throw new CommandRefused('not-found', `project "${command.project}" has no rollout ${command.rolloutId}`);
  if (!isRunning(state))
    throw new CommandRefused(
      'rollout-ended',
      `rollout ${state.id} ended ${state.status}: ${state.endReason}`,
    );
  if (command.type === 'abort-rollout')
    return {
      type: 'rollout-aborted.v1',
      data: { weightPpm: weightOf(state), because: command.because, why: command.why },
    };
  if (flag?.status !== 'active' && command.type !== 'roll-back-rollout' && command.type !== 'stop-rollout')
    throw new CommandRefused('flag-killed', `the flag of rollout ${state.id} is ${flag?.status ?? 'gone'}`);
  switch (command.type) {
    case 'record-plan':
      if (state.status !== 'pre-period')
        throw new CommandRefused(
          'rollout-not-there-yet',
          `rollout ${state.id} is ${state.status}; it has a plan`,
        );
      return { type: 'rollout-planned.v1', data: command.planned };
    case 'begin-rollout':
      if (state.status !== 'planned')
        throw new CommandRefused(
          'rollout-not-there-yet',
          `rollout ${state.id} is ${state.status}, not planned`,
        );
      return enter(state.planned.ladderPpm, 0, undefined, command.why);
    case 'give-verdict':
      return giveVerdict(state, command);
    case 'raise-signal':
      return raiseSignal(state, command);
    case 'promote-rollout': {
      const { baking, verdict } = standingVerdict(state, command.verdictId, 'promote');
      const next = baking.step + 1;
      if (next >= baking.planned.ladderPpm.length)
        return { type: 'rollout-completed.v1', data: { verdictId: verdict.id, why: command.why } };
      return enter(baking.planned.ladderPpm, next, verdict.id, command.why);
    }
    case 'roll-back-rollout': {
      const { baking, verdict } = standingVerdict(state, command.verdictId, 'roll-back');
      const { step, weightPpm } = baking;
      return {
        type: 'rollout-rolled-back.v1',
        data: { step, weightPpm, verdictId: verdict.id, code: verdict.code, why: command.why },
      };
    }
    case 'stop-rollout': {
      const { baking, verdict } = standingVerdict(state, command.verdictId, 'stop');
      return {
        type: 'rollout-stopped.v1',
        data: { verdictId: verdict.id, weightPpm: baking.weightPpm, why: command.why },
      };
    }
  }
};

const request = (
  state: Rollout | undefined,
  command: Extract<RolloutCommand, { type: 'request-rollout' }>,
  flag: Flag | undefined,
): Fact => {
  if (state) throw new CommandRefused('already-exists', `rollout ${command.rolloutId} exists already`);
  if (!flag || flag.channel !== command.channel)
    throw new CommandRefused('not-found', `channel "${command.channel}" has no flag ${command.flagId}`);
  if (flag.status === 'archived')
    throw new CommandRefused('flag-archived', `flag "${flag.key}" was archived`);
  if (flag.status === 'killed')
    throw new CommandRefused('flag-killed', `flag "${flag.key}" was killed: ${flag.killed.why}`);
  if (flag.split)
    throw new CommandRefused('flag-in-rollout', `flag "${flag.key}" is in rollout ${flag.split.rolloutId}`);
  if (!Object.hasOwn(flag.definition.variants, command.variant))
    throw new CommandRefused('flag-invalid', `flag "${flag.key}" has no variant "${command.variant}"`);
  if (command.variant === flag.definition.defaultVariant)
    throw new CommandRefused(
      'flag-invalid',
      `"${command.variant}" is the default variant of "${flag.key}" already`,
    );
  const hidden = (['schedule', 'fallthrough'] as const).find((name) => flag.definition[name]);
  if (hidden)
    throw new CommandRefused(
      'flag-invalid',
      `flag "${flag.key}" has a ${hidden}, whose place the rollout would take; change the flag first, to rules and a default variant`,
    );
  const names = command.metrics.map((metric) => metric.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw new CommandRefused('policy-invalid', `metrics: "${twice}" stands there twice`);
  const ladder = command.policy.ladderPpm;
  if (ladder?.some((weight, index) => weight <= (index === 0 ? 0 : ladder[index - 1]!)))
    throw new CommandRefused('policy-invalid', `ladderPpm: [${ladder.join(', ')}] must rise from above 0`);
  const { channel, flagId, variant, seed, policy, metrics, why } = command;
  return {
    type: 'rollout-requested.v1',
    data: { channel, flagId, variant, seed, policy, metrics: [...metrics], why },
  };
};

const enter = (
  ladderPpm: readonly number[],
  step: number,
  verdictId: string | undefined,
  why: string,
): Fact => ({
  type: 'rollout-step-entered.v1',
  data: { step, weightPpm: ladderPpm[step]!, ...(verdictId === undefined ? {} : { verdictId }), why },
});

const giveVerdict = (
  state: RunningRollout,
  command: Extract<RolloutCommand, { type: 'give-verdict' }>,
): Fact => {
  const { verdict } = command;
  if (state.status !== 'baking' || state.step !== verdict.step)
    throw new CommandRefused(
      'rollout-not-there-yet',
      `rollout ${state.id} is ${state.status === 'baking' ? `at step ${state.step}` : state.status}, not at step ${verdict.step}`,
    );
  if (state.verdict && isFinal(state.verdict))
    throw new CommandRefused(
      'verdict-does-not-allow',
      `step ${state.step} has its verdict: ${state.verdict.decision}`,
    );
  return { type: 'rollout-verdict-given.v1', data: verdict };
};

/** Bounds what a rollout's state holds, far above what any weighing needs. */
const MOST_SIGNALS = 1_000;

/** A source that says the same thing twice has still said it once. */
const raiseSignal = (
  state: RunningRollout,
  { signal, source, why }: Extract<RolloutCommand, { type: 'raise-signal' }>,
): Fact => {
  const isKnown = state.signals.some(
    (raised) =>
      raised.signal === signal && raised.source.kind === source.kind && raised.source.name === source.name,
  );
  if (isKnown)
    throw new CommandRefused(
      'already-exists',
      `${source.kind} "${source.name}" has raised its ${signal} against rollout ${state.id} already`,
    );
  if (state.signals.length >= MOST_SIGNALS)
    throw new CommandRefused('policy-invalid', `rollout ${state.id} holds ${MOST_SIGNALS} signals already`);
  return { type: 'rollout-signal-raised.v1', data: { signal, source, weightPpm: weightOf(state), why } };
};

/** A step's last word; after it nothing but its consequence may happen to the step. */
export const isFinal = (verdict: Verdict): boolean =>
  verdict.decision === 'promote' || verdict.decision === 'roll-back' || verdict.decision === 'stop';

const standingVerdict = (state: RunningRollout, verdictId: string, decision: Verdict['decision']) => {
  if (state.status !== 'baking')
    throw new CommandRefused('rollout-not-there-yet', `rollout ${state.id} is ${state.status}, not baking`);
  const { verdict } = state;
  if (!verdict || verdict.id !== verdictId || verdict.step !== state.step)
    throw new CommandRefused(
      'verdict-does-not-allow',
      `verdict ${verdictId} is not the standing one of step ${state.step} (${verdict?.id ?? 'none yet'})`,
    );
  if (verdict.decision !== decision)
    throw new CommandRefused(
      'verdict-does-not-allow',
      `step ${state.step}: the verdict is "${verdict.decision}" (${verdict.code}), not "${decision}"`,
    );
  if (state.policy.mode === 'advisory')
    throw new CommandRefused(
      'verdict-does-not-allow',
      `rollout ${state.id} is advisory: its verdicts are shown, not acted on`,
    );
  return { baking: state, verdict };
};

const weightOf = (state: RunningRollout): number => (state.status === 'baking' ? state.weightPpm : 0);
