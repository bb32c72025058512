import type { CompilableFlag, Surroundings } from '@headgate/domain';
import type { FlagFile } from './flag-file.js';

/** A flag of a file as the domain compiles it: in force, in no rollout. */
export const compilable = (file: FlagFile, key: string): CompilableFlag | undefined => {
  const definition = Object.hasOwn(file.flags, key) ? file.flags[key] : undefined;
  return definition && { key, status: 'active', definition, split: null };
};

/** What the flags of a file may refer to: each other, and its segments. */
export const surroundingsOf = (file: FlagFile): Surroundings => ({
  flag: (key) => compilable(file, key),
  segment: (name) =>
    file.segments && Object.hasOwn(file.segments, name) ? file.segments[name]?.when : undefined,
  attributes: null,
});
