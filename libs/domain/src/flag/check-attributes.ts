import type { JsonValue } from '@headgate/contracts';
import { type Problem, problem } from './problem.js';
import type { Surroundings } from './surroundings.js';
import { walk } from './uses.js';

/** Where a channel says which attributes its rules may read, they read no other (ADR 0011). */
export const checkAttributes = (
  rule: JsonValue,
  path: string,
  around: Pick<Surroundings, 'attributes'>,
): readonly Problem[] => {
  if (around.attributes === null) return [];
  const read = new Set<string>();
  walk(rule, (node) => {
    for (const name of attributesOf(node)) read.add(name);
  });
  return [...read].flatMap((name) => checkAttribute(name, path, around));
};

export const checkAttribute = (
  name: string,
  path: string,
  { attributes }: Pick<Surroundings, 'attributes'>,
): readonly Problem[] => {
  const [top = ''] = name.split('.');
  if (attributes === null || top === 'targetingKey' || top === '$flagd') return [];
  if (attributes.includes(top) || attributes.includes(name)) return [];
  const allowed = ['targetingKey', ...attributes].join(', ');
  const read = name === '' ? 'the whole context' : `"${name}"`;
  return [problem(path, 'attribute-not-allowed', `reads ${read}; rules of this channel may read ${allowed}`)];
};

/** Attributes that an operator reads by name. A name that is computed can be any, so it counts as the whole context. */
const attributesOf = (node: JsonValue): readonly string[] => {
  if (node === null || typeof node !== 'object' || Array.isArray(node)) return [];
  const [operator, args] = Object.entries(node)[0] ?? [];
  const list = Array.isArray(args) ? args : [args];
  if (operator === 'var') return [nameOf(list[0])];
  if (operator === 'missing') return list.flat().map(nameOf);
  if (operator === 'missing_some') return [list[1]].flat().map(nameOf);
  return [];
};

const nameOf = (name: JsonValue | undefined): string => (typeof name === 'string' ? name : '');
