import type { FlagDefinition, JsonValue, SegmentDefinition } from '@headgate/contracts';
import { flagDefinition, flagKey, segmentName } from '@headgate/contracts';
import { chooseSeeds, compareSplits, type Seeds, type TheirSplit } from './bucketing/choose-seeds.js';
import { pinKeys } from './bucketing/pin-keys.js';
import { FLAG_FILE_SCHEMA, type FlagFile, type Path, showPath } from './flag-file.js';
import type { Imported, ImportOptions, NotCarried, VariantChange } from './report.js';
import { type Issue, tellIssues } from './tell-issues.js';
import type { TextTree } from './text-tree.js';

/** What an importer gathers while it walks through another system's file. */
export interface Gathering {
  readonly options: ImportOptions;
  /** The seed for a group of splits; `own` when nothing better was found for it. */
  readonly seed: (group: string, own: string) => string;
  readonly drop: (flag: string, path: Path, why: string, mend: string) => void;
  readonly split: (split: Omit<TheirSplit, 'place'>, path: Path) => void;
  /** Takes a flag into the file, or reports why not. */
  readonly flag: (key: string, definition: DraftDefinition, path: Path) => void;
  readonly segment: (name: string, definition: SegmentDefinition, path: Path) => boolean;
}

/** A definition before its schema has seen it. */
export type DraftDefinition = Omit<Partial<FlagDefinition>, 'variants'> & {
  readonly state: FlagDefinition['state'];
  readonly variants: Readonly<Record<string, JsonValue>>;
};

/**
 * Walks through a source once, and a second time when better seeds were found. `walk` must gather the same things both
 * times.
 */
export const gather = (
  tree: TextTree,
  options: ImportOptions,
  walk: (gathering: Gathering) => void,
): Imported => {
  const first = walkOnce(tree, options, new Map(), walk);
  const seeds = chooseSeeds(first.splits, options);
  const walked = seeds.size === 0 ? first : walkOnce(tree, options, seeds, walk);
  const { notCarried, splits } = walked;
  const { file, pinned } = withPins(walked, options);
  const variantChanges = compareSplits(splits, options).map((change, i): VariantChange => {
    const kept = pinned.get(splits[i] as TheirSplit);
    return kept === undefined ? change : { ...change, changed: 0, share: 0, pinned: kept, examples: [] };
  });
  return {
    file,
    problems: [],
    report: {
      carried: Object.keys(file.flags),
      notCarried,
      variantChanges: variantChanges.filter(({ flag }) => Object.hasOwn(file.flags, flag)),
    },
  };
};

/** Only for given keys: pinning made-up ones would help nobody. */
const withPins = (
  { file, splits }: Walked,
  { keys, pinsKeys }: ImportOptions,
): { readonly file: FlagFile; readonly pinned: ReadonlyMap<TheirSplit, number> } => {
  const pinned = new Map<TheirSplit, number>();
  if (!pinsKeys || !keys) return { file, pinned };
  const flags = Object.entries(file.flags).map(([key, definition]) => [
    key,
    pinKeys(key, definition, splits, keys, (split, count) => void pinned.set(split, count)),
  ]);
  return { file: { ...file, flags: Object.fromEntries(flags) as FlagFile['flags'] }, pinned };
};

interface Walked {
  readonly file: FlagFile;
  readonly notCarried: readonly NotCarried[];
  readonly splits: readonly TheirSplit[];
}

const walkOnce = (
  tree: TextTree,
  options: ImportOptions,
  seeds: Seeds,
  walk: (gathering: Gathering) => void,
): Walked => {
  const notCarried: NotCarried[] = [];
  const splits: TheirSplit[] = [];
  const flags = new Map<string, FlagDefinition>();
  const segments = new Map<string, SegmentDefinition>();
  const drop: Gathering['drop'] = (flag, path, why, mend) => {
    notCarried.push({ flag, place: showPath(path), line: tree.locate(path).line, why, mend });
  };
  walk({
    options,
    seed: (group, own) => seeds.get(group) ?? own,
    drop,
    split: (split, path) => void splits.push({ ...split, place: showPath(path) }),
    flag: (key, draft, path) => {
      const name = flagKey.safeParse(key);
      const parsed = flagDefinition.safeParse(draft);
      if (!name.success) drop(key, path, `the key ${name.error.issues[0]?.message}`, 'Rename the flag.');
      else if (flags.has(key)) drop(key, path, `a second flag "${key}"`, 'Keep one of them.');
      else if (parsed.success) flags.set(key, parsed.data);
      else {
        const issues = parsed.error.issues as readonly Issue[];
        tellIssues(issues, draft as unknown as JsonValue, path, (_at, message, mend) =>
          drop(key, path, message, mend),
        );
      }
    },
    segment: (name, definition, path) => {
      const parsed = segmentName.safeParse(name);
      if (parsed.success && !segments.has(name)) segments.set(name, definition);
      else drop(name, path, 'a segment whose name cannot be kept', 'Rename the segment.');
      return parsed.success;
    },
  });
  const file: FlagFile = {
    schema: FLAG_FILE_SCHEMA,
    ...(segments.size === 0 ? {} : { segments: Object.fromEntries(segments) }),
    flags: Object.fromEntries(flags),
  };
  return { file, notCarried, splits };
};
