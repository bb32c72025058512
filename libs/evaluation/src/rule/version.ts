import { compareText, compareVersions, parseVersion, UNUSUAL } from '../semantic-version.js';
import { constant, isLiteral, type Operator, type Term } from './term.js';

/** What flagd's operators make of an order, as `compareVersions` gives it. */
const RANGES: ReadonlyMap<unknown, (order: number) => boolean> = new Map([
  ['=', (order: number) => order === 0],
  ['!=', (order: number) => order !== 0],
  ['<', (order: number) => order < 0],
  ['<=', (order: number) => order <= 0],
  ['>=', (order: number) => order >= 0],
  ['>', (order: number) => order > 0],
  ['^', (order: number) => order < 3 && order > -3],
  ['~', (order: number) => order < 2 && order > -2],
]);

/** `[version, range, version]`; null for a range or a version that is none. */
export const semanticVersion: Operator = (args, { compile }) => {
  const [left, range, right] = args.map((arg) => compile(arg)) as [Term, Term, Term];
  if (args.length !== 3) return constant(null);
  if (isLiteral(args[1]) && isLiteral(args[2])) return withBound(left, args[1], args[2]);
  return (data) => {
    const [a, b] = [parseVersion(left(data)), parseVersion(right(data))];
    const holds = RANGES.get(String(range(data)));
    return a && b && holds ? holds(compareVersions(a, b)) : null;
  };
};

const withBound = (left: Term, range: unknown, written: unknown): Term => {
  const bound = parseVersion(written);
  const holds = RANGES.get(String(range));
  if (!bound || !holds) {
    return (data) => {
      left(data);
      return null;
    };
  }
  return (data) => {
    const text = left(data);
    if (typeof text === 'string') {
      const order = compareText(text, bound);
      if (order !== UNUSUAL) return holds(order);
    }
    const version = parseVersion(text);
    return version && holds(compareVersions(version, bound));
  };
};
