import { matchVersion, parseVersion } from '../semantic-version.js';
import { argumentList } from './arithmetic.js';
import { constant, isLiteral, type Operator, RuleFailed, type Term } from './term.js';
import { textOf } from './values.js';

/** Doubling a text in a `reduce` would otherwise take the process's memory. */
const MAX_TEXT = 65_536;

const bounded = (text: string): string => {
  if (text.length > MAX_TEXT) throw new RuleFailed(`text longer than ${MAX_TEXT} characters`);
  return text;
};

const concatenate: Operator = (args, compiler) => {
  if (args.length === 2) {
    const [left, right] = args.map(compiler.compile) as [Term, Term];
    return (data) => bounded(textOf(left(data)) + textOf(right(data)));
  }
  const list = argumentList(args, compiler);
  return (data) => {
    let text = '';
    for (const value of list(data)) text = bounded(text + textOf(value));
    return text;
  };
};

const substring: Operator = (args, { compile }) => {
  const [text, from, length] = args.map(compile) as [Term, Term?, Term?];
  return (data) => {
    const value = text?.(data);
    if (typeof value !== 'string') throw new RuleFailed('substr needs a text');
    const start = Number(from?.(data) ?? 0);
    const begin = start < 0 ? Math.max(0, value.length + start) : start;
    const count = length?.(data);
    if (count === undefined || count === null) return value.slice(begin);
    const size = Number(count);
    if (size >= 0) return value.slice(begin, begin + size);
    // A negative length leaves that many characters off the end.
    const rest = value.slice(begin);
    return rest.slice(0, Math.max(0, rest.length + size));
  };
};

const compareTexts =
  (matches: (text: string, part: string) => boolean): Operator =>
  (args, { compile }) => {
    if (args.length !== 2) return constant(null);
    const [left, right] = args.map(compile) as [Term, Term];
    return (data) => {
      const text = left(data);
      const part = right(data);
      return typeof text === 'string' && typeof part === 'string' ? matches(text, part) : null;
    };
  };

const semanticVersion: Operator = (args, { compile }) => {
  if (args.length !== 3) return constant(null);
  const [left, operator, right] = args.map(compile) as [Term, Term, Term];
  if (isLiteral(args[1]) && isLiteral(args[2])) {
    const bound = parseVersion(args[2]);
    const compare = args[1];
    // Instances report one version for their whole life: parsing it once is most of the cost saved.
    let lastText: unknown;
    let lastVersion: ReturnType<typeof parseVersion> = null;
    return (data) => {
      const text = left(data);
      if (text !== lastText) {
        lastVersion = parseVersion(text);
        lastText = text;
      }
      return matchVersion(lastVersion, compare, bound);
    };
  }
  return (data) => matchVersion(parseVersion(left(data)), operator(data), parseVersion(right(data)));
};

export const textOperators: Record<string, Operator> = {
  cat: concatenate,
  substr: substring,
  starts_with: compareTexts((text, part) => text.startsWith(part)),
  ends_with: compareTexts((text, part) => text.endsWith(part)),
  sem_ver: semanticVersion,
};
