import type { LogPosition } from '@headgate/contracts';
import { emptyProject, type ProjectState } from './project-state.js';
import { indexUses } from './used-by.js';

/** Raise when a state's shape changes: older snapshots are then discarded and the log is folded again. */
const PROJECT_STATE_VERSION = 3;

interface Serialized {
  readonly version: number;
  readonly head: LogPosition | null;
  readonly project: ProjectState['project'];
  readonly channels: readonly unknown[];
  readonly flags: readonly unknown[];
  readonly flagIds: readonly (readonly [string, string])[];
  readonly segments: readonly unknown[];
  readonly segmentIds: readonly (readonly [string, string])[];
  readonly rollouts: readonly unknown[];
  readonly tokens: readonly unknown[];
  readonly answered: readonly unknown[];
}

/** JSON-ready copy of a fold. Only ever read back by the version that wrote it. */
export const serializeProject = (state: ProjectState): Serialized => ({
  version: PROJECT_STATE_VERSION,
  head: state.head,
  project: state.project,
  channels: [...state.channels.values()],
  flags: [...state.flags.values()],
  flagIds: [...state.flagIds],
  segments: [...state.segments.values()],
  segmentIds: [...state.segmentIds],
  rollouts: [...state.rollouts.values()],
  tokens: [...state.tokens.values()],
  answered: [...state.answered.values()],
});

/** `null` when the text is not a snapshot of this version; the caller then folds the log from its start. */
export const parseProject = (text: string): ProjectState | null => {
  let read: Serialized;
  try {
    read = JSON.parse(text) as Serialized;
  } catch {
    return null;
  }
  if (read?.version !== PROJECT_STATE_VERSION || !Array.isArray(read.flagIds)) return null;
  const state = emptyProject();
  state.project = read.project;
  state.head = read.head;
  for (const channel of read.channels as ReturnType<ProjectState['channels']['get']>[])
    if (channel) state.channels.set(channel.slug, channel);
  for (const flag of read.flags as ReturnType<ProjectState['flags']['get']>[])
    if (flag) {
      indexUses(state.usedBy, undefined, flag);
      state.flags.set(flag.id, flag);
    }
  for (const [name, id] of read.flagIds) state.flagIds.set(name, id);
  for (const segment of read.segments as ReturnType<ProjectState['segments']['get']>[])
    if (segment) state.segments.set(segment.id, segment);
  for (const [name, id] of read.segmentIds) state.segmentIds.set(name, id);
  for (const rollout of read.rollouts as ReturnType<ProjectState['rollouts']['get']>[])
    if (rollout) state.rollouts.set(rollout.id, rollout);
  for (const token of read.tokens as ReturnType<ProjectState['tokens']['get']>[])
    if (token) state.tokens.set(token.id, token);
  for (const answer of read.answered as ReturnType<ProjectState['answered']['get']>[])
    if (answer) state.answered.set(answer.commandId, answer);
  return state;
};
