import { argumentList } from './arithmetic.js';
import { constant, type Operator, RuleFailed, type Term } from './term.js';

/** Doubling a text in a `reduce` would otherwise take the process's memory. */
export const MAX_TEXT = 65_536;

const bounded = (text: string): string => {
  if (text.length > MAX_TEXT) throw new RuleFailed(`text longer than ${MAX_TEXT} characters`);
  return text;
};

/** As JavaScript joins values: an object reads "[object Object]", and what is null depends on who asks. */
const join = (values: readonly unknown[], ofNull: string): string => {
  let text = '';
  for (const value of values) text = bounded(text + (value ?? ofNull));
  return text;
};

/** Compiled code writes what is missing as "null"; the interpreter, which works out constant parts, leaves it out. */
export const textOfNull = (isInterpreted: boolean): string => (isInterpreted ? '' : 'null');

const concatenate: Operator = (args, compiler) => {
  const { isInterpreted } = compiler.place;
  const ofNull = textOfNull(isInterpreted);
  if (isInterpreted && args.length === 1 && !Array.isArray(args[0]))
    return textOfOnly(compiler.compile(args[0]));
  const list = argumentList(args, compiler);
  return (data) => join(list(data), ofNull);
};

/** The interpreter joins a list that is the only argument, and cannot handle nothing. */
const textOfOnly =
  (term: Term): Term =>
  (data) => {
    const value = term(data);
    if (value === null || value === undefined) throw new RuleFailed('cat needs a value');
    return Array.isArray(value) ? join(value, '') : bounded(String(value));
  };

const substring: Operator = (args, { compile }) => {
  const [text, from, length] = args.map((arg) => compile(arg)) as [Term, Term?, Term?];
  return (data) => {
    const value = text?.(data);
    const start = wholeOf(from?.(data));
    const count = length?.(data);
    if (typeof value !== 'string') throw new RuleFailed('substr needs a text');
    const rest = value.slice(start < 0 ? Math.max(0, value.length + start) : start);
    if (count === undefined) return rest;
    if (Number(count) >= 0 || Number.isNaN(Number(count))) return rest.slice(0, wholeOf(count));
    // a negative length leaves that many characters off the end; one that is a text is joined, not added, in flagd-core
    return typeof count === 'string' ? '' : rest.slice(0, Math.max(0, wholeOf(rest.length + Number(count))));
  };
};

/** As JavaScript's own text functions take a position: towards zero, nonsense is 0. */
const wholeOf = (value: unknown): number => Math.trunc(Number(value)) || 0;

const compareTexts =
  (matches: (text: string, part: string) => boolean): Operator =>
  (args, { compile }) => {
    const [left, right] = args.map((arg) => compile(arg)) as [Term, Term];
    if (args.length !== 2) return constant(null);
    return (data) => {
      const text = left(data);
      const part = right(data);
      return typeof text === 'string' && typeof part === 'string' ? matches(text, part) : null;
    };
  };

export const textOperators: Record<string, Operator> = {
  cat: concatenate,
  substr: substring,
  starts_with: compareTexts((text, part) => text.startsWith(part)),
  ends_with: compareTexts((text, part) => text.endsWith(part)),
};
