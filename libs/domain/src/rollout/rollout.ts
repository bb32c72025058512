import type { EventData, JudgePolicy, LogEvent, MetricDefinition } from '@headgate/contracts';

export type Verdict = EventData<'rollout-verdict-given.v1'> & { readonly id: string; readonly at: number };

export type RaisedSignal = EventData<'rollout-signal-raised.v1'> & {
  readonly id: string;
  readonly at: number;
};

export interface EnteredStep {
  readonly step: number;
  readonly weightPpm: number;
  readonly enteredAt: number;
  readonly verdictId: string | null;
}

interface RolloutCommon {
  readonly id: string;
  readonly channel: string;
  readonly flagId: string;
  readonly variant: string;
  readonly seed: string;
  readonly policy: JudgePolicy;
  readonly metrics: readonly MetricDefinition[];
  readonly requestedAt: number;
  readonly why: string;
  readonly steps: readonly EnteredStep[];
  readonly verdicts: readonly Verdict[];
  /** In the order of the log. */
  readonly signals: readonly RaisedSignal[];
  /** The frozen plan; `null` before the pre-period ended. */
  readonly planned: (EventData<'rollout-planned.v1'> & { readonly at: number }) | null;
}

export type Plan = NonNullable<RolloutCommon['planned']>;

export type Rollout =
  | (RolloutCommon & { readonly status: 'pre-period'; readonly planned: null })
  | (RolloutCommon & { readonly status: 'planned'; readonly planned: Plan })
  | (RolloutCommon & {
      readonly status: 'baking';
      readonly planned: Plan;
      readonly step: number;
      readonly weightPpm: number;
      readonly enteredAt: number;
      /** Of this step; `null` until the judge has spoken. */
      readonly verdict: Verdict | null;
    })
  | (RolloutCommon & {
      readonly status: 'completed' | 'rolled-back' | 'stopped' | 'aborted';
      readonly endedAt: number;
      readonly endReason: string;
      /** Weight it had when it ended (rolled back: what it was rolled back from). */
      readonly weightPpm: number;
      readonly step: number | null;
    });

export type RunningRollout = Extract<Rollout, { status: 'pre-period' | 'planned' | 'baking' }>;

export const isRunning = (rollout: Rollout): rollout is RunningRollout =>
  rollout.status === 'pre-period' || rollout.status === 'planned' || rollout.status === 'baking';

export type RolloutEvent = Extract<LogEvent, { kind: unknown } & { type: `rollout-${string}` }>;

/** Older verdicts are in the log; a state keeps what people and the judge look back at. */
const KEPT_VERDICTS = 200;

export const evolveRollout = (state: Rollout | undefined, event: RolloutEvent): Rollout => {
  if (event.type === 'rollout-requested.v1') {
    const { channel, flagId, variant, seed, policy, metrics, why } = event.data;
    const base = { id: event.aggregateId, channel, flagId, variant, seed, policy, metrics, why };
    return {
      ...base,
      status: 'pre-period',
      requestedAt: event.at,
      steps: [],
      verdicts: [],
      signals: [],
      planned: null,
    };
  }
  if (!state)
    throw new Error(
      `${event.type} at position ${event.position}: rollout ${event.aggregateId} was never requested`,
    );
  switch (event.type) {
    case 'rollout-planned.v1':
      return { ...common(state), status: 'planned', planned: { ...event.data, at: event.at } };
    case 'rollout-step-entered.v1': {
      if (!state.planned)
        throw new Error(`${event.type} at position ${event.position}: rollout ${state.id} has no plan`);
      const { step, weightPpm, verdictId } = event.data;
      const entered: EnteredStep = { step, weightPpm, enteredAt: event.at, verdictId: verdictId ?? null };
      return {
        ...common(state),
        status: 'baking',
        planned: state.planned,
        step,
        weightPpm,
        enteredAt: event.at,
        verdict: null,
        steps: [...state.steps, entered],
      };
    }
    case 'rollout-verdict-given.v1': {
      if (state.status !== 'baking') return state;
      const verdict: Verdict = { ...event.data, id: event.id, at: event.at };
      return { ...state, verdict, verdicts: [...state.verdicts, verdict].slice(-KEPT_VERDICTS) };
    }
    case 'rollout-signal-raised.v1':
      return { ...state, signals: [...state.signals, { ...event.data, id: event.id, at: event.at }] };
    case 'rollout-completed.v1':
      return ended(state, 'completed', event.at, event.data.why, 1_000_000);
    case 'rollout-rolled-back.v1':
      return ended(state, 'rolled-back', event.at, event.data.why, event.data.weightPpm);
    case 'rollout-stopped.v1':
      return ended(state, 'stopped', event.at, event.data.why, event.data.weightPpm);
    case 'rollout-aborted.v1':
      return ended(state, 'aborted', event.at, event.data.why, event.data.weightPpm);
  }
};

const common = (state: Rollout): RolloutCommon => ({
  id: state.id,
  channel: state.channel,
  flagId: state.flagId,
  variant: state.variant,
  seed: state.seed,
  policy: state.policy,
  metrics: state.metrics,
  requestedAt: state.requestedAt,
  why: state.why,
  steps: state.steps,
  verdicts: state.verdicts,
  signals: state.signals,
  planned: state.planned,
});

const ended = (
  state: Rollout,
  status: 'completed' | 'rolled-back' | 'stopped' | 'aborted',
  endedAt: number,
  endReason: string,
  weightPpm: number,
): Rollout => ({
  ...common(state),
  status,
  endedAt,
  endReason,
  weightPpm,
  step: state.status === 'baking' ? state.step : null,
});
