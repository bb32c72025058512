import type { JsonValue } from '@headgate/contracts';
import { parse as parseToml, TomlDate, TomlError } from 'smol-toml';
import {
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { type Path, type Problem, showPath } from './flag-file.js';

export type TextForm = 'yaml' | 'toml';

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A text as values, and where each of them stands in it. */
export interface TextTree {
  readonly value: JsonValue;
  /** Of the value at the path, or of the nearest thing around it that the text has. */
  readonly locate: (path: Path) => Place;
}

const START: Place = { line: 1, column: 1 };
const MAX_TEXT = 8 * 1_048_576;
const MAX_DEPTH = 200;

/** Reads YAML 1.2, of which JSON is a part, or TOML. Never throws; a text that cannot be read gives its problems. */
export const readTree = (
  text: string,
  form: TextForm = 'yaml',
): { readonly tree: TextTree } | { readonly problems: readonly Problem[] } => {
  if (text.length > MAX_TEXT) return failed(START, `longer than ${MAX_TEXT} characters`, 'Split it.');
  try {
    return form === 'toml' ? readTomlTree(text) : readYamlTree(text);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    // Readers of hostile texts end in RangeError (depth) or ReferenceError (aliases); neither says where.
    return failed(START, `cannot be read: ${cause.message}`, 'Check its form and how deeply it is nested.');
  }
};

const failed = (place: Place, message: string, mend: string): { problems: readonly Problem[] } => ({
  problems: [{ ...place, path: '', message, mend }],
});

const readYamlTree = (text: string): { tree: TextTree } | { problems: readonly Problem[] } => {
  const lines = new LineCounter();
  // The library looks for names that stand twice in quadratic time; `unfitNode` does in one pass.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map(({ pos, message }) => ({
        ...placeOf(pos[0]),
        path: '',
        message: firstLine(message),
        mend: 'Mend the YAML (or JSON) here.',
      })),
    };
  }
  const unfit = unfitNode(document);
  if (unfit) {
    const { node, message, mend } = unfit;
    return failed(placeOf(node.range?.[0] ?? 0), message, mend);
  }
  const value = document.toJS({ maxAliasCount: 100 }) as JsonValue;
  return { tree: { value: value ?? null, locate: (path) => placeOf(offsetOf(document, path)) } };
};

const firstLine = (text: string): string => text.split('\n')[0] ?? text;

/** What YAML can say and a flag cannot: names that are no texts, dates and numbers that JSON does not know. */
const unfitNode = (document: Document): { node: Node; message: string; mend: string } | undefined => {
  let found: { node: Node; message: string; mend: string } | undefined;
  const stop = (node: Node, message: string, mend: string): symbol => {
    found = { node, message, mend };
    return visit.BREAK;
  };
  visit(document, {
    Node: (_key, node, parents) => {
      if (parents.length > MAX_DEPTH * 2)
        return stop(node, `nested deeper than ${MAX_DEPTH}`, 'Write it flatter.');
      if (isScalar(node) && typeof node.value === 'number' && !Number.isFinite(node.value))
        return stop(
          node,
          `${node.source ?? node.value} is not a number that JSON knows`,
          'Write a finite number.',
        );
      if (isScalar(node) && typeof node.value === 'bigint')
        return stop(node, `${node.value} is too large to be exact`, 'Write it as a text.');
      if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:'))
        return stop(node, `the tag ${node.tag} is not known here`, 'Remove the tag.');
      return undefined;
    },
    Map: (_key, { items }) => {
      const seen = new Set<string>();
      for (const { key } of items) {
        const name = isScalar(key) ? String(key.value) : undefined;
        if (name === undefined || !isNode(key)) continue;
        if (seen.has(name)) return stop(key, `"${name}" stands here twice`, 'Keep one of them.');
        seen.add(name);
      }
      return undefined;
    },
    Pair: (_key, { key, value }) => {
      if (isScalar(key) && key.value === '__proto__')
        return stop(key, '"__proto__" cannot be a name', 'Choose another name.');
      if (isNode(key) && !isScalar(key))
        return stop(key, 'a name must be a text', 'Write a text before the colon.');
      if (isScalar(key) && key.value === null && isNode(value))
        return stop(value, 'a name must be a text', 'Write a text before the colon.');
      return undefined;
    },
  });
  return found;
};

const offsetOf = (document: Document, path: Path): number => {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (!isPair(pair)) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isNode(node) && 'items' in node && typeof part === 'number') {
      const item: unknown = (node as { items: readonly unknown[] }).items[part];
      if (item === undefined) return offset;
      node = item;
      offset = startOf(item) ?? offset;
    } else return offset;
  }
  return offset;
};

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);

/** smol-toml knows where a text breaks, not where its values stand: those are placed by their names. */
const readTomlTree = (text: string): { tree: TextTree } | { problems: readonly Problem[] } => {
  try {
    const value = plainToml(parseToml(text) as unknown, 0);
    return { tree: { value, locate: (path) => tomlPlace(text, path) } };
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const { line, column, message } = cause;
    return failed({ line, column }, firstLine(message), 'Mend the TOML here.');
  }
};

const plainToml = (value: unknown, depth: number): JsonValue => {
  if (depth > MAX_DEPTH) throw new RangeError(`nested deeper than ${MAX_DEPTH}`);
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => plainToml(item, depth + 1));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainToml(item, depth + 1)]));
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RangeError('inf and nan are no JSON numbers');
  return typeof value === 'bigint' ? Number(value) : (value as JsonValue);
};

/** The line that first names the deepest part of the path after its parents were named; the start when none is. */
const tomlPlace = (text: string, path: Path): Place => {
  const lines = text.split('\n');
  let at = -1;
  for (const part of path) {
    if (typeof part === 'number') continue;
    const next = lines.findIndex((line, i) => i >= Math.max(0, at) && line.includes(part));
    if (next < 0) break;
    at = next;
  }
  return at < 0 ? START : { line: at + 1, column: (lines[at] ?? '').search(/\S/) + 1 };
};

export const problemAt = (tree: TextTree, path: Path, message: string, mend: string): Problem => ({
  ...tree.locate(path),
  path: showPath(path),
  message,
  mend,
});
