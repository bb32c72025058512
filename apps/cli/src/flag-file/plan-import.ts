import type { FlagDefinition, SegmentDefinition } from '@headgate/contracts';
import { type FlagFile, isSame } from '@headgate/flag-file';

export type Step = { readonly action: 'create' | 'change' | 'same' } & (
  | { readonly kind: 'segment'; readonly name: string; readonly definition: SegmentDefinition }
  | { readonly kind: 'flag'; readonly name: string; readonly definition: FlagDefinition }
);

/**
 * What would make a channel say what the file says, in an order in which nothing refers to what is not there yet: segments,
 * then flags after their prerequisites. Nothing is removed.
 */
export const planImport = (
  file: FlagFile,
  channel: Pick<FlagFile, 'flags' | 'segments'>,
): readonly Step[] => [
  ...Object.entries(file.segments ?? {}).map(
    ([name, definition]): Step => ({
      kind: 'segment',
      name,
      definition,
      action: actionFor(definition, own(channel.segments ?? {}, name)),
    }),
  ),
  ...inOrder(file.flags).map(
    ([name, definition]): Step => ({
      kind: 'flag',
      name,
      definition,
      action: actionFor(definition, own(channel.flags, name)),
    }),
  ),
];

const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

const actionFor = (wanted: unknown, there: unknown): Step['action'] => {
  if (there === undefined) return 'create';
  return isSame(wanted, there) ? 'same' : 'change';
};

const inOrder = (flags: Readonly<Record<string, FlagDefinition>>): readonly [string, FlagDefinition][] => {
  const ordered = new Map<string, FlagDefinition>();
  const visiting = new Set<string>();
  const visit = (key: string): void => {
    const flag = own(flags, key);
    if (!flag || ordered.has(key) || visiting.has(key)) return;
    visiting.add(key);
    for (const { flag: before } of flag.prerequisites ?? []) visit(before);
    ordered.set(key, flag);
  };
  for (const key of Object.keys(flags)) visit(key);
  return [...ordered];
};
