import type { Flag } from './flag/flag.js';
import { prerequisitesOf, segmentsOf } from './flag/uses.js';

/** Who refers to what within a project: a name of a flag or a segment to the ids of the flags whose definitions name it. */
export type UsedBy = Map<string, Set<string>>;

export const flagUse = (channel: string, key: string): string => `flag ${channel}/${key}`;
export const segmentUse = (channel: string, name: string): string => `segment ${channel}/${name}`;

/** Keeps the index when a flag's definition or status changes. An archived flag uses nothing. */
export const indexUses = (usedBy: UsedBy, before: Flag | undefined, after: Flag): void => {
  if (before?.definition === after.definition && before.status === after.status) return;
  for (const use of before ? usesOf(before) : []) {
    const ids = usedBy.get(use);
    ids?.delete(after.id);
    if (ids?.size === 0) usedBy.delete(use);
  }
  for (const use of usesOf(after)) {
    const ids = usedBy.get(use) ?? new Set();
    usedBy.set(use, ids.add(after.id));
  }
};

const usesOf = ({ status, channel, definition }: Flag): readonly string[] =>
  status === 'archived'
    ? []
    : [
        ...prerequisitesOf(definition).map((key) => flagUse(channel, key)),
        ...segmentsOf(definition).map((name) => segmentUse(channel, name)),
      ];

/** Flags whose documents hold something of what is named, directly or through their prerequisites; each once. */
export const dependentsOf = (
  { usedBy, flags }: { readonly usedBy: UsedBy; readonly flags: ReadonlyMap<string, Flag> },
  use: string,
): readonly Flag[] => {
  const found = new Map<string, Flag>();
  const follow = (next: string): void => {
    for (const id of usedBy.get(next) ?? []) {
      const flag = flags.get(id);
      if (!flag || found.has(id)) continue;
      found.set(id, flag);
      follow(flagUse(flag.channel, flag.key));
    }
  };
  follow(use);
  return [...found.values()];
};
