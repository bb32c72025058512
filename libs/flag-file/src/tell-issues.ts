import type { JsonValue } from '@headgate/contracts';
import type { Path } from './flag-file.js';

/** What of zod's issues is read here. */
export interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly expected?: string;
  readonly errors?: readonly (readonly Issue[])[];
}

type Report = (path: Path, message: string, mend: string) => void;

/** Tells a schema's issues about `value`, which stands at `base`, each with its mend. */
export const tellIssues = (issues: readonly Issue[], value: JsonValue, base: Path, report: Report): void => {
  for (const issue of issues) tell(issue, value, base, report);
};

const tell = (issue: Issue, value: JsonValue, base: Path, report: Report): void => {
  const path = [...base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  const here = valueAt(value, issue.path);
  const branch = issue.code === 'invalid_union' ? likeliest(issue.errors ?? []) : undefined;
  if (branch) tellIssues(branch, here ?? null, path, report);
  else if (issue.code === 'unrecognized_keys')
    for (const key of issue.keys ?? [])
      report([...path, key], `"${key}" is not known here`, 'Check its spelling, or remove it.');
  else if (issue.code === 'invalid_type' && here === undefined)
    report(path, `"${String(path.at(-1) ?? '')}" is missing`, `Add it; it is ${nameOf(issue.expected)}.`);
  else if (issue.code === 'invalid_type')
    report(path, `${brief(here)} is not ${nameOf(issue.expected)}`, `Write ${nameOf(issue.expected)}.`);
  else report(path, `${brief(here)}: ${issue.message}`, 'Write it as docs/reference/flag-file.md says.');
};

/** Of the forms that something may have, the one it comes nearest to: what it has is known there, and it got furthest. */
const likeliest = (branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined => {
  const score = (issues: readonly Issue[]): number =>
    Math.max(0, ...issues.map(({ path }) => path.length)) * 10 -
    issues.filter(({ code }) => code === 'unrecognized_keys').length * 5 -
    issues.filter(({ code, path }) => code === 'invalid_type' && path.length <= 1).length * 5 -
    issues.length;
  return [...branches].sort((a, b) => score(b) - score(a))[0];
};

const valueAt = (value: JsonValue, path: readonly PropertyKey[]): JsonValue | undefined => {
  let at: JsonValue | undefined = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Readonly<Record<PropertyKey, JsonValue>>)[part];
  }
  return at;
};

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a table of fields',
  record: 'a table of names',
};
const nameOf = (expected: string | undefined): string =>
  NAMES[expected ?? ''] ?? `of type ${expected ?? 'unknown'}`;

const brief = (value: JsonValue | undefined): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};
