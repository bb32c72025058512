import type { LogEvent, LogPosition } from '@headgate/contracts';
import { type Channel, evolveChannel } from './channel/channel.js';
import { evolveFlag, type Flag } from './flag/flag.js';
import { evolveProject, initialProject, type Project } from './project/project.js';
import { evolveRollout, type Rollout, type RolloutEvent } from './rollout/rollout.js';
import { evolveSegment, type Segment } from './segment/segment.js';
import { evolveToken, type Token } from './token/token.js';
import { dependentsOf, flagUse, indexUses, segmentUse, type UsedBy } from './used-by.js';

/** What was answered to a command id, kept for as long as a repeat must get the same answer. */
export interface AnsweredCommand extends LogPosition {
  readonly commandId: string;
  readonly commandDigest: string;
  readonly aggregateId: string;
  readonly at: number;
}

/**
 * Everything one project's chain says, by aggregate. Aggregates are immutable values; the maps around them belong to the one
 * holder that folds the chain and are changed in place, because copying 5,000 flags for each event would make a replay
 * quadratic.
 */
export interface ProjectState {
  project: Project;
  readonly channels: Map<string, Channel>;
  readonly flags: Map<string, Flag>;
  /** `<channel>/<key>` to the id of the newest flag of that name. */
  readonly flagIds: Map<string, string>;
  readonly segments: Map<string, Segment>;
  /** `<channel>/<name>` to the id of the newest segment of that name. */
  readonly segmentIds: Map<string, string>;
  /** Follows from the flags; kept so that an event need not look at all of them. */
  readonly usedBy: UsedBy;
  readonly rollouts: Map<string, Rollout>;
  readonly tokens: Map<string, Token>;
  /** In log order, oldest first. */
  readonly answered: Map<string, AnsweredCommand>;
  head: LogPosition | null;
}

export const REPEAT_WINDOW_MS = 86_400_000;
/** The fastest rhythm instances are asked to report in, and how many reports a bake should hold. */
const MIN_REPORT_MS = 1_000;
const REPORTS_PER_BAKE = 10;
const DEFAULT_BAKE_MS = 3_600_000;

export const emptyProject = (): ProjectState => ({
  project: initialProject,
  channels: new Map(),
  flags: new Map(),
  flagIds: new Map(),
  segments: new Map(),
  segmentIds: new Map(),
  usedBy: new Map(),
  rollouts: new Map(),
  tokens: new Map(),
  answered: new Map(),
  head: null,
});

/** Flags whose documents an event that was just folded in has changed: its own and those that need it. */
export const flagsMovedBy = (state: ProjectState, event: LogEvent): readonly Flag[] => {
  const own = ownFlag(state, event);
  const isMoved = ({ epoch, position }: Flag): boolean =>
    epoch === event.epoch && position === event.position;
  const segment = event.kind === 'segment' ? state.segments.get(event.aggregateId) : undefined;
  const use = own ? flagUse(own.channel, own.key) : segment && segmentUse(segment.channel, segment.name);
  const others = use === undefined ? [] : dependentsOf(state, use).filter(isMoved);
  return own ? [own, ...others] : others;
};

const ownFlag = (state: ProjectState, event: LogEvent): Flag | undefined => {
  const rollout = event.kind === 'rollout' ? state.rollouts.get(event.aggregateId) : undefined;
  const id = event.kind === 'flag' ? event.aggregateId : rollout?.flagId;
  return id === undefined ? undefined : state.flags.get(id);
};

export const flagName = (channel: string, key: string): string => `${channel}/${key}`;

/** Folds one event in. Events of a chain must come in order; a redacted one (`data: null`) changes nothing but the head. */
export const applyEvent = (state: ProjectState, event: LogEvent): void => {
  if (event.data !== null) evolve(state, event);
  state.head = { epoch: event.epoch, position: event.position, hash: event.hash };
  remember(state, event);
};

const evolve = (state: ProjectState, event: LogEvent): void => {
  const id = event.aggregateId;
  switch (event.type) {
    case 'project-created.v1':
      state.project = evolveProject(state.project, event);
      return;
    case 'channel-created.v1':
      state.channels.set(event.data.slug, evolveChannel(undefined, event));
      return;
    case 'flag-created.v1':
    case 'flag-restored.v1':
      state.flagIds.set(flagName(event.data.channel, event.data.key), id);
      putFlag(state, evolveFlag(state.flags.get(id), event), event);
      return;
    case 'flag-changed.v1':
    case 'flag-killed.v1':
    case 'flag-kill-lifted.v1':
    case 'flag-archived.v1':
      putFlag(state, evolveFlag(state.flags.get(id), event), event);
      return;
    case 'segment-created.v1':
    case 'segment-changed.v1':
    case 'segment-removed.v1': {
      const segment = evolveSegment(state.segments.get(id), event);
      state.segments.set(id, segment);
      if (event.type === 'segment-created.v1')
        state.segmentIds.set(flagName(segment.channel, segment.name), id);
      markDependents(state, segmentUse(segment.channel, segment.name), event);
      return;
    }
    case 'rollout-requested.v1':
    case 'rollout-planned.v1':
    case 'rollout-step-entered.v1':
    case 'rollout-verdict-given.v1':
    case 'rollout-signal-raised.v1':
    case 'rollout-completed.v1':
    case 'rollout-rolled-back.v1':
    case 'rollout-stopped.v1':
    case 'rollout-aborted.v1': {
      const rollout = evolveRollout(state.rollouts.get(id), event);
      state.rollouts.set(id, rollout);
      moveFlag(state, rollout, event);
      return;
    }
    case 'token-created.v1':
    case 'token-revoked.v1':
      state.tokens.set(id, evolveToken(state.tokens.get(id), event));
      return;
  }
};

/** A flag as it is after the event. The documents of the flags that need it say something else now, too. */
const putFlag = (state: ProjectState, flag: Flag, event: LogEvent): void => {
  indexUses(state.usedBy, state.flags.get(flag.id), flag);
  state.flags.set(flag.id, flag);
  markDependents(state, flagUse(flag.channel, flag.key), event);
};

const markDependents = (state: ProjectState, use: string, event: LogEvent): void => {
  const mark = { changedAt: event.at, epoch: event.epoch, position: event.position };
  for (const flag of dependentsOf(state, use)) state.flags.set(flag.id, { ...flag, ...mark });
};

/** A rollout's step is a fact about its flag too: the flag's document changes with it. */
const moveFlag = (state: ProjectState, rollout: Rollout, event: RolloutEvent): void => {
  const flag = state.flags.get(rollout.flagId);
  if (!flag || flag.status === 'archived') return;
  const mark = { changedAt: event.at, epoch: event.epoch, position: event.position, why: event.data.why };
  switch (event.type) {
    case 'rollout-requested.v1':
    case 'rollout-planned.v1':
    case 'rollout-step-entered.v1': {
      const bakeMs = rollout.planned?.bakeMs ?? rollout.policy.bakeMs ?? DEFAULT_BAKE_MS;
      const split = {
        rolloutId: rollout.id,
        seed: rollout.seed,
        variant: rollout.variant,
        weightPpm: rollout.status === 'baking' ? rollout.weightPpm : 0,
        reportEveryMs: Math.max(MIN_REPORT_MS, Math.round(bakeMs / REPORTS_PER_BAKE)),
      };
      putFlag(state, { ...flag, ...mark, split }, event);
      return;
    }
    case 'rollout-verdict-given.v1':
    case 'rollout-signal-raised.v1':
      return;
    case 'rollout-completed.v1': {
      const definition = { ...flag.definition, defaultVariant: rollout.variant };
      putFlag(state, { ...flag, ...mark, split: null, definition }, event);
      return;
    }
    case 'rollout-rolled-back.v1':
    case 'rollout-aborted.v1':
      putFlag(state, { ...flag, ...mark, split: null }, event);
      return;
    case 'rollout-stopped.v1': {
      if (!flag.split) return;
      const { reportEveryMs: _, ...split } = flag.split;
      putFlag(state, { ...flag, ...mark, split }, event);
      return;
    }
  }
};

const remember = (state: ProjectState, event: LogEvent): void => {
  const { commandId, commandDigest, aggregateId, at, epoch, position, hash } = event;
  state.answered.set(commandId, { commandId, commandDigest, aggregateId, at, epoch, position, hash });
  for (const [id, answer] of state.answered) {
    if (answer.at >= at - REPEAT_WINDOW_MS) break;
    state.answered.delete(id);
  }
};
