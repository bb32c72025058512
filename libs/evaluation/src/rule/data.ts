import {
  constant,
  isLiteral,
  type Operator,
  type RuleCompiler,
  RuleFailed,
  RuleInvalid,
  type Term,
} from './term.js';
import { isTruthy } from './values.js';

/** Splits at dots; a backslash keeps a dot or a backslash as it is. */
const pathOf = (key: string): readonly string[] => {
  const parts: string[] = [];
  let current = '';
  for (let i = 0; i < key.length; i += 1) {
    const character = key[i]!;
    const next = key[i + 1];
    if (character === '\\' && (next === '.' || next === '\\')) {
      current += next;
      i += 1;
    } else if (character === '.') {
      parts.push(current);
      current = '';
    } else current += character;
  }
  return [...parts, current];
};

/** Own data only: a rule must not reach what a context inherits (`constructor`, `__proto__`). */
const member = (data: unknown, name: string): unknown => {
  if (data === null || data === undefined) return undefined;
  if (typeof data === 'string') return name === 'length' ? data.length : undefined;
  if (typeof data !== 'object' || name === '__proto__') return undefined;
  const value = (data as Record<string, unknown>)[name];
  return typeof value === 'function' || !Object.hasOwn(data, name) ? undefined : value;
};

const walk = (data: unknown, path: readonly string[]): unknown => {
  let value: unknown = data;
  for (let i = 0; i < path.length; i += 1) {
    value = member(value, path[i]!);
    if (value === undefined) return undefined;
  }
  return value;
};

const read = (key: unknown, { frame }: RuleCompiler): Term => {
  if (key === '' || key === null || key === undefined) return (data) => data;
  if (key === '$flagd.flagKey') return constant(frame.flagKey);
  if (key === '$flagd.timestamp') return () => frame.nowSeconds();
  if (typeof key === 'object') throw new RuleInvalid('var needs a name');
  if (String(key).startsWith('../')) throw new RuleInvalid('var cannot leave the scope of an iterator');
  const path = pathOf(String(key));
  const only = path.length === 1 ? path[0]! : null;
  return only === null ? (data) => walk(data, path) : (data) => member(data, only);
};

const variable: Operator = (args, compiler) => {
  const [key, fallback] = args;
  const otherwise = compiler.compile(fallback === undefined ? null : fallback);
  if (!isLiteral(key) && key !== undefined) {
    const name = compiler.compile(key);
    return (data) => read(nameOf(name(data)), compiler)(data) ?? otherwise(data);
  }
  const term = read(key, compiler);
  return (data) => term(data) ?? otherwise(data);
};

const nameOf = (value: unknown): unknown => {
  if (value !== null && typeof value === 'object') throw new RuleFailed('var needs a name');
  return value;
};

const namesMissing = (data: unknown, names: readonly unknown[]): unknown[] =>
  names.filter((name) => walk(data, pathOf(String(name))) === undefined);

const missing: Operator = (args, { compile }) => {
  const terms = args.map(compile);
  return (data) => {
    const values = terms.map((term) => term(data));
    return namesMissing(data, Array.isArray(values[0]) ? values[0] : values);
  };
};

const missingSome: Operator = (args, { compile }) => {
  const [need, options] = args.map(compile) as [Term?, Term?];
  return (data) => {
    const names = options?.(data);
    if (!Array.isArray(names)) throw new RuleFailed('missing_some needs a list of names');
    const absent = namesMissing(data, names);
    return names.length - absent.length >= Number(need?.(data)) ? [] : absent;
  };
};

const contains: Operator = (args, { compile }) => {
  const [needle, haystack] = args as [unknown, unknown];
  const item = compile(needle ?? null);
  if (Array.isArray(haystack) && haystack.length > 8 && haystack.every(isLiteral)) {
    const members = new Set(haystack);
    return (data) => members.has(item(data));
  }
  const list = compile(haystack ?? null);
  return (data) => {
    const value = list(data);
    if (typeof value === 'string') return value.includes(String(item(data)));
    if (Array.isArray(value)) return value.includes(item(data));
    if (!isTruthy(value)) return false;
    throw new RuleFailed('in needs a list or a text');
  };
};

export const dataOperators: Record<string, Operator> = {
  var: variable,
  missing,
  missing_some: missingSome,
  in: contains,
};
