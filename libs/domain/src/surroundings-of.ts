import type { Surroundings } from './flag/surroundings.js';
import { flagName, type ProjectState } from './project-state.js';

/** What a flag of the channel may refer to, as the project stands. */
export const surroundingsOf = (state: ProjectState, channel: string): Surroundings => ({
  flag: (key) => state.flags.get(state.flagIds.get(flagName(channel, key)) ?? ''),
  segment: (name) => {
    const segment = state.segments.get(state.segmentIds.get(flagName(channel, name)) ?? '');
    return segment?.status === 'active' ? segment.definition.when : undefined;
  },
  attributes: state.channels.get(channel)?.attributes ?? null,
});
