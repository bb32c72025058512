import {
  type FlagDefinition,
  flagDefinition,
  flagKey,
  type JsonValue,
  type SegmentDefinition,
  segmentName,
} from '@headgate/contracts';
import { isFields } from '../definition-form.js';
import { FLAG_FILE_SCHEMA, type FlagFile, type Path, showPath } from '../flag-file.js';
import { isSame } from '../is-same.js';
import { type Imported, type NotCarried, unread } from '../report.js';
import { type Issue, tellIssues } from '../tell-issues.js';
import { problemAt, readTree } from '../text-tree.js';
import { DEFINITION_ENTRY, exportFlagd } from './export-flagd.js';

type Fields = Readonly<Record<string, JsonValue>>;

/**
 * A flagd document (JSON or YAML; map or array form) as a flag file. What flagd evaluates stays as it is, so nobody changes
 * variant; `exportFlagd` gives the same document back. What Headgate cannot take is left out and reported.
 */
export const importFlagd = (text: string): Imported => {
  const read = readTree(text);
  if ('problems' in read) return unread(read.problems);
  const { tree } = read;
  const top = tree.value;
  if (!isFields(top) || !(isFields(top.flags) || Array.isArray(top.flags)))
    return unread([problemAt(tree, [], 'not a flagd document', 'It needs "flags", by key or as a list.')]);
  const notCarried: NotCarried[] = [];
  const drop: Drop = (flag, path, why, mend) => {
    notCarried.push({ flag, place: showPath(path), line: tree.locate(path).line, why, mend });
  };
  const file = fileOf(top, drop);
  for (const name of Object.keys(top))
    if (!['$schema', '$evaluators', 'metadata', 'flags'].includes(name))
      drop('', [name], `flagd does not know "${name}"`, 'Nothing to do; flagd ignored it too.');
  return { file, problems: [], report: { carried: Object.keys(file.flags), notCarried, variantChanges: [] } };
};

type Drop = (flag: string, path: Path, why: string, mend: string) => void;

const fileOf = (top: Fields, drop: Drop): FlagFile => {
  const isArray = Array.isArray(top.flags);
  const { $schema } = top;
  const flagd = {
    ...(typeof $schema === 'string' ? { schema: $schema } : {}),
    ...(isArray ? { isArray } : {}),
  };
  const metadata = isFields(top.metadata) ? plainEntries(top.metadata, '', ['metadata'], drop) : undefined;
  const raw = {
    schema: FLAG_FILE_SCHEMA,
    ...(metadata === undefined ? {} : { metadata }),
    ...(Object.keys(flagd).length === 0 ? {} : { flagd }),
    ...(isFields(top.$evaluators) ? { segments: segmentsOf(top.$evaluators, drop) } : {}),
    flags: Object.fromEntries(
      entriesOf(top.flags ?? null, drop).flatMap(([key, value, path]): [string, FlagDefinition][] => {
        const flag = flagOf(key, value, path, drop);
        return flag ? [[key, flag]] : [];
      }),
    ),
  } as FlagFile;
  return withKeptDefinitions(raw, top, drop);
};

const entriesOf = (flags: JsonValue, drop: Drop): [string, JsonValue, Path][] => {
  if (isFields(flags)) return Object.entries(flags).map(([key, value]) => [key, value, ['flags', key]]);
  const seen = new Set<string>();
  return (flags as readonly JsonValue[]).flatMap((flag, i): [string, JsonValue, Path][] => {
    const path = ['flags', i];
    const key = isFields(flag) ? flag.key : undefined;
    if (!isFields(flag) || typeof key !== 'string')
      drop('', path, 'a flag without a key', 'Give it a "key".');
    else if (seen.has(key)) drop(key, path, `a second flag "${key}"`, 'Keep one of them.');
    else {
      seen.add(key);
      const { key: _, ...rest } = flag;
      return [[key, rest, path]];
    }
    return [];
  });
};

const flagOf = (key: string, value: JsonValue, path: Path, drop: Drop): FlagDefinition | undefined => {
  const problem = flagKey.safeParse(key);
  if (!problem.success) {
    drop(key, path, `the key ${problem.error.issues[0]?.message ?? 'is not one'}`, 'Rename the flag.');
    return undefined;
  }
  if (!isFields(value)) {
    drop(key, path, 'not a flag', 'Give it a state and variants.');
    return undefined;
  }
  const { state, variants, defaultVariant, targeting, metadata, ...rest } = value;
  for (const field of Object.keys(rest))
    drop(key, [...path, field], `flagd does not know "${field}"`, 'Nothing to do; flagd ignored it too.');
  const plain = isFields(metadata) ? plainEntries(metadata, key, [...path, 'metadata'], drop) : undefined;
  const parsed = flagDefinition.safeParse({
    state,
    variants,
    ...(defaultVariant === undefined ? {} : { defaultVariant }),
    ...(targeting === undefined ? {} : { targeting }),
    ...(plain === undefined ? {} : { metadata: withoutEntry(plain) }),
  });
  if (parsed.success) return parsed.data;
  tellIssues(parsed.error.issues as readonly Issue[], value, path, (at, message, mend) =>
    drop(key, at, message, mend),
  );
  return undefined;
};

const withoutEntry = ({
  [DEFINITION_ENTRY]: _,
  ...rest
}: Record<string, string | number | boolean>): object => rest;

const segmentsOf = (evaluators: Fields, drop: Drop): Readonly<Record<string, SegmentDefinition>> =>
  Object.fromEntries(
    Object.entries(evaluators).flatMap(([name, when]): [string, SegmentDefinition][] => {
      const parsed = segmentName.safeParse(name);
      if (parsed.success) return [[name, { when }]];
      const why = `the name ${parsed.error.issues[0]?.message ?? 'is not one'}`;
      drop(name, ['$evaluators', name], why, 'Rename it, and its "$ref"s.');
      return [];
    }),
  );

const plainEntries = (
  metadata: Fields,
  flag: string,
  path: Path,
  drop: Drop,
): Record<string, string | number | boolean> =>
  Object.fromEntries(
    Object.entries(metadata).flatMap(([name, value]): [string, string | number | boolean][] => {
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
        return [[name, value]];
      drop(flag, [...path, name], 'metadata is text, number or boolean', 'Write it as a text.');
      return [];
    }),
  );

/**
 * What our own export kept is taken back, when it still compiles to what stands in the document: an edit made in flagd's
 * form wins over it.
 */
const withKeptDefinitions = (raw: FlagFile, top: Fields, drop: Drop): FlagFile => {
  const kept = entriesOf(top.flags ?? null, () => undefined).flatMap(
    ([key, value, path]): [string, FlagDefinition, JsonValue, Path][] => {
      const definition = Object.hasOwn(raw.flags, key) ? keptIn(value) : undefined;
      return definition ? [[key, definition, value, path]] : [];
    },
  );
  if (kept.length === 0) return raw;
  // Compiled together, because prerequisites refer to one another.
  const whole: FlagFile = {
    ...raw,
    flags: { ...raw.flags, ...Object.fromEntries(kept.map(([key, definition]) => [key, definition])) },
  };
  const again = exportFlagd({ ...whole, flagd: {} }).json.flags as Fields;
  const edited = kept.filter(([key, , value]) => !isSame(withoutKept(again[key]), withoutKept(value)));
  for (const [key, , , path] of edited) {
    const why =
      'the document was changed since Headgate exported it; rules, schedules and prerequisites are now one targeting';
    drop(
      key,
      [...path, 'metadata', DEFINITION_ENTRY],
      why,
      `Remove "${DEFINITION_ENTRY}" from its metadata.`,
    );
  }
  const asFlagd = edited.map(([key]) => [key, raw.flags[key]] as const);
  return { ...whole, flags: { ...whole.flags, ...Object.fromEntries(asFlagd) } } as FlagFile;
};

/** Without the entry, in which the order of names may have changed. */
const withoutKept = (flag: JsonValue | undefined): unknown => {
  if (!isFields(flag) || !isFields(flag.metadata)) return flag;
  const { key: _, ...rest } = flag;
  return { ...rest, metadata: { ...flag.metadata, [DEFINITION_ENTRY]: '' } };
};

const keptIn = (flag: JsonValue): FlagDefinition | undefined => {
  const text = isFields(flag) && isFields(flag.metadata) ? flag.metadata[DEFINITION_ENTRY] : undefined;
  if (typeof text !== 'string') return undefined;
  const read = readTree(text);
  const parsed = 'tree' in read ? flagDefinition.safeParse(read.tree.value) : undefined;
  return parsed?.success ? parsed.data : undefined;
};
