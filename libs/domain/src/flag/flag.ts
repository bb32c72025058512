import type { FlagDefinition, LogEvent } from '@headgate/contracts';

/** What a rollout has put on a flag: `variant` for the first `weightPpm` of buckets of `seed + targetingKey`. */
export interface Split {
  readonly rolloutId: string;
  readonly seed: string;
  readonly variant: string;
  readonly weightPpm: number;
  /** Absent once nobody judges any more (a stopped rollout keeps its weight). */
  readonly reportEveryMs?: number;
}

interface FlagCommon {
  readonly id: string;
  readonly channel: string;
  readonly key: string;
  readonly definition: FlagDefinition;
  readonly split: Split | null;
  readonly why: string;
  readonly createdAt: number;
  readonly changedAt: number;
  /** Of the newest event that changed the flag's document. */
  readonly epoch: number;
  readonly position: number;
}

export type Flag =
  | (FlagCommon & { readonly status: 'active' })
  | (FlagCommon & {
      readonly status: 'killed';
      readonly killed: { readonly at: number; readonly why: string };
    })
  | (FlagCommon & { readonly status: 'archived' });

export type FlagEvent = Extract<
  LogEvent,
  {
    type:
      | 'flag-created.v1'
      | 'flag-changed.v1'
      | 'flag-killed.v1'
      | 'flag-kill-lifted.v1'
      | 'flag-archived.v1'
      | 'flag-restored.v1';
  }
>;

export const evolveFlag = (state: Flag | undefined, event: FlagEvent): Flag => {
  const mark = { changedAt: event.at, epoch: event.epoch, position: event.position, why: event.data.why };
  if (event.type === 'flag-created.v1' || event.type === 'flag-restored.v1') {
    const { channel, key, definition } = event.data;
    const common = {
      id: event.aggregateId,
      channel,
      key,
      definition,
      split: null,
      createdAt: state?.createdAt ?? event.at,
      ...mark,
    };
    const killed = event.type === 'flag-restored.v1' ? event.data.killed : undefined;
    return killed ? { ...common, status: 'killed', killed } : { ...common, status: 'active' };
  }
  if (!state)
    throw new Error(
      `${event.type} at position ${event.position}: flag ${event.aggregateId} was never created`,
    );
  switch (event.type) {
    case 'flag-changed.v1':
      return { ...state, ...mark, definition: event.data.definition };
    case 'flag-killed.v1':
      return { ...state, ...mark, status: 'killed', killed: { at: event.at, why: event.data.why } };
    case 'flag-kill-lifted.v1':
      return { ...withoutKill(state), ...mark, status: 'active' };
    case 'flag-archived.v1':
      return { ...withoutKill(state), ...mark, status: 'archived', split: null };
  }
};

const withoutKill = (state: Flag): FlagCommon => {
  if (state.status !== 'killed') return state;
  const { killed: _, ...common } = state;
  return common;
};
