import type { FlagDefinition, FlagView, SegmentView } from '@headgate/contracts';
import { CommandRefused, segmentsOf } from '@headgate/domain';

/** A channel's segments in order of their names, removed ones left out, each with the flags that use it. */
export const withUsers = (
  segments: readonly SegmentView[],
  flags: readonly FlagView[],
): readonly SegmentView[] => {
  const users = new Map<string, string[]>();
  for (const { key, status, definition } of flags) {
    if (status === 'archived') continue;
    // A view carries the definition that the log took.
    for (const name of segmentsOf(definition as unknown as FlagDefinition))
      users.set(name, [...(users.get(name) ?? []), key]);
  }
  return segments
    .filter(({ status }) => status === 'active')
    .map((segment) => ({ ...segment, usedBy: users.get(segment.name) ?? [] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
};

export const segmentNamed = (
  segments: readonly SegmentView[],
  channel: string,
  name: string,
): SegmentView => {
  const segment = segments.find((one) => one.name === name);
  if (!segment) throw new CommandRefused('not-found', `channel "${channel}" has no segment "${name}"`);
  return segment;
};
