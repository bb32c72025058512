import { memberReader, pathOf, walk } from './path.js';
import {
  constant,
  type Frame,
  isLiteral,
  type Operator,
  type RuleCompiler,
  RuleFailed,
  RuleInvalid,
  type Term,
  tracked,
} from './term.js';

const FLAGD = '$flagd';

const variable: Operator = (args, compiler) => {
  const [key, fallback] = args;
  const hasDefault = fallback !== undefined && fallback !== null;
  const otherwise = hasDefault ? compiler.compile(fallback) : null;
  if (!isLiteral(key)) return dynamic(compiler.compile(key), otherwise, compiler);
  if (key === '' || key === null || key === undefined)
    return compiler.place.isInner ? same : scope(compiler.frame);
  const term = reader(String(key), compiler);
  if (otherwise === null && compiler.place.isInterpreted) return shortReader(String(key), term);
  if (otherwise === null) return tracked(compiler, (data) => term(data) ?? null);
  // the interpreter takes null for a value
  if (compiler.place.isInterpreted) {
    return (data) => {
      const value = term(data);
      return value === undefined ? otherwise(data) : value;
    };
  }
  return tracked(compiler, (data) => term(data) ?? otherwise(data));
};

const same: Term = (data) => data;

/** The context as a rule sees it, with what flagd adds. */
const scope = (frame: Frame): Term => {
  const { flagKey } = frame;
  if (flagKey === null) return same;
  return (data) => ({ ...(data as object), [FLAGD]: { flagKey, timestamp: frame.nowSeconds() } });
};

/** A reader of one path: undefined where it leads nowhere. */
const reader = (key: string, { frame, place }: RuleCompiler): Term => {
  if (key.startsWith('../')) throw new RuleInvalid('var cannot leave the scope of an iterator');
  const { flagKey } = frame;
  const [first = '', ...rest] = pathOf(key);
  if (first === FLAGD && !place.isInner && flagKey !== null) {
    if (rest.length === 1 && rest[0] === 'flagKey') return constant(flagKey);
    if (rest.length === 1 && rest[0] === 'timestamp') return () => frame.nowSeconds();
    const members = rest.map(memberReader);
    return () => walk({ flagKey, timestamp: frame.nowSeconds() }, members);
  }
  if (rest.length === 0) return memberReader(first);
  const members = [first, ...rest].map(memberReader);
  return (data) => walk(data, members);
};

/** The interpreter finds nothing in what is false or empty; on a path of two or three names it takes that for the value. */
const shortReader = (key: string, term: Term): Term => {
  const path = pathOf(key);
  if (path.length > 3 || path[0] === FLAGD) return (data) => term(data) ?? null;
  if (path.length === 1) return (data) => (data ? (term(data) ?? null) : null);
  const members = path.map(memberReader);
  return (data) => {
    let value = data;
    for (const member of members) {
      if (!value) break;
      value = member(value);
    }
    return value ?? null;
  };
};

const dynamic = (name: Term, otherwise: Term | null, compiler: RuleCompiler): Term => {
  return (data) => {
    const key = name(data);
    if (key !== null && typeof key === 'object') throw new RuleFailed('var needs a name');
    if (key === '' || key === null || key === undefined) return data;
    const value = reader(String(key), compiler)(data);
    if (value !== undefined) return value;
    return otherwise === null ? null : otherwise(data);
  };
};

const namesMissing = (data: unknown, names: readonly unknown[]): unknown[] =>
  names.filter((name) => walk(data, pathOf(String(name)).map(memberReader)) === undefined);

const missing: Operator = (args, { compile }) => {
  const terms = args.map((arg) => compile(arg));
  return (data) => {
    const values = terms.map((term) => term(data));
    return namesMissing(data, Array.isArray(values[0]) ? values[0] : values);
  };
};

const missingSome: Operator = (args, compiler) => {
  const [need, options] = args.map((arg) => compiler.compile(arg)) as [Term?, Term?];
  return tracked(compiler, (data) => {
    const names = options?.(data);
    if (!Array.isArray(names)) throw new RuleFailed('missing_some needs a list of names');
    const absent = namesMissing(data, names);
    return names.length - absent.length >= Number(need?.(data)) ? [] : absent;
  });
};

const contains: Operator = (args, { compile }) => {
  const [needle, haystack] = args;
  const item = compile(needle ?? null);
  if (Array.isArray(haystack) && haystack.every(isLiteral)) {
    const members = new Set(haystack);
    return (data) => members.has(item(data));
  }
  const list = compile(haystack ?? null);
  return (data) => {
    const value = list(data);
    const wanted = item(data);
    // an empty text is no text to look in
    if (!value) return false;
    if (typeof value === 'string') return value.includes(String(wanted));
    if (Array.isArray(value)) return value.includes(wanted);
    throw new RuleFailed('in needs a list or a text');
  };
};

export const dataOperators: Record<string, Operator> = {
  var: variable,
  missing,
  missing_some: missingSome,
  in: contains,
};
