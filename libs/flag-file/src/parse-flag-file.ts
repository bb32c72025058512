import {
  type FlagDefinition,
  flagDefinition,
  flagKey,
  type JsonValue,
  type SegmentDefinition,
  segmentDefinition,
  segmentName,
  slug,
} from '@headgate/contracts';
import { z } from 'zod';
import { isFields, readDefinition } from './definition-form.js';
import { FLAG_FILE_SCHEMA, type FlagFile, type Path, type Problem } from './flag-file.js';
import { type Issue, tellIssues } from './tell-issues.js';
import { problemAt, readTree, type TextTree } from './text-tree.js';

export interface ParsedFlagFile {
  /** What could be read: flags with a problem of form are left out. Null when the text is no flag file at all. */
  readonly file: FlagFile | null;
  readonly problems: readonly Problem[];
  /** Where a path of the file stands in the text. */
  readonly locate: TextTree['locate'];
}

const plain = z.union([z.string(), z.number(), z.boolean()]);
const TOP = ['schema', 'channel', 'metadata', 'flagd', 'segments', 'flags'];

/**
 * Reads a `headgate.flags.v1` file, YAML or JSON. Checks its form; what a flag means is checked by `checkFlagFile`. Never
 * throws: every problem names its place and the mend.
 */
export const parseFlagFile = (text: string): ParsedFlagFile => {
  const read = readTree(text);
  if ('problems' in read)
    return { file: null, problems: read.problems, locate: () => ({ line: 1, column: 1 }) };
  const { tree } = read;
  const problems: Problem[] = [];
  const report = (path: Path, message: string, mend: string): void => {
    problems.push(problemAt(tree, path, message, mend));
  };
  const file = isFields(tree.value) ? fileOf(tree.value, report) : null;
  if (!file) report([], 'not a flag file', `Start it with "schema: ${FLAG_FILE_SCHEMA}" and "flags:".`);
  return { file, problems, locate: tree.locate };
};

type Report = (path: Path, message: string, mend: string) => void;

const fileOf = (top: Readonly<Record<string, JsonValue>>, report: Report): FlagFile | null => {
  if (top.schema !== FLAG_FILE_SCHEMA) {
    if (top.schema !== undefined || !isFields(top.flags)) return null;
    report([], 'no schema is named', `Write "schema: ${FLAG_FILE_SCHEMA}" at the top.`);
  }
  for (const name of Object.keys(top)) {
    if (!TOP.includes(name))
      report([name], `"${name}" is not known here`, `Remove it; known are ${TOP.join(', ')}.`);
  }
  const parse = <T>(schema: z.ZodType<T>, value: JsonValue | undefined, path: Path): T | undefined => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    tellIssues(parsed.error.issues as readonly Issue[], value ?? null, path, report);
    return undefined;
  };
  const optional = <T>(schema: z.ZodType<T>, name: string): Record<string, T> => {
    const value = top[name] === undefined ? undefined : parse(schema, top[name], [name]);
    return value === undefined ? {} : { [name]: value };
  };
  const flags = entriesOf(top.flags, ['flags'], report).flatMap(
    ([key, value]): [string, FlagDefinition][] => {
      const path = ['flags', key];
      let isSound = parse(flagKey, key, path) !== undefined;
      const definition = parse(
        flagDefinition,
        readDefinition(value, path, (at, message, mend) => {
          isSound = false;
          report(at, message, mend);
        }),
        path,
      );
      return definition && isSound ? [[key, definition]] : [];
    },
  );
  const segments = entriesOf(top.segments ?? {}, ['segments'], report).flatMap(
    ([name, value]): [string, SegmentDefinition][] => {
      const path = ['segments', name];
      const definition = parse(segmentDefinition, value, path);
      return definition && parse(segmentName, name, path) !== undefined ? [[name, definition]] : [];
    },
  );
  return {
    schema: FLAG_FILE_SCHEMA,
    ...optional(slug, 'channel'),
    ...optional(z.record(z.string().min(1), plain), 'metadata'),
    ...optional(z.strictObject({ schema: z.string().optional(), isArray: z.boolean().optional() }), 'flagd'),
    ...(top.segments === undefined ? {} : { segments: Object.fromEntries(segments) }),
    flags: Object.fromEntries(flags),
  } as FlagFile;
};

const entriesOf = (value: JsonValue | undefined, path: Path, report: Report): [string, JsonValue][] => {
  if (isFields(value)) return Object.entries(value);
  report(
    path,
    value === undefined ? `"${path[0]}" is missing` : `"${path[0]}" is not a table of names`,
    `Write "${path[0]}:" with one name per entry, or "${path[0]}: {}".`,
  );
  return [];
};
