import { isConstant } from './constant.js';
import { isLiteral, type Operator, RuleInvalid, type Term } from './term.js';
import { numberOf } from './values.js';

type Compare = (a: unknown, b: unknown) => boolean;
type CompareAs<T> = (a: T, b: T) => boolean;

interface Comparison {
  readonly ofTexts: CompareAs<string>;
  readonly ofNumbers: CompareAs<number>;
  /** JavaScript's own, whatever the values are. */
  readonly raw: Compare;
  readonly isStrict: boolean;
}

const isText = (value: unknown): boolean => typeof value === 'string' || value === null;

/** Two texts compare as texts, all else as numbers; what is no number fails the rule (as json-logic-engine 5 does). */
const compareLoosely =
  ({ ofTexts, ofNumbers }: Comparison): Compare =>
  (a, b) =>
    isText(a) && isText(b) ? ofTexts(a as string, b as string) : ofNumbers(numberOf(a), numberOf(b));

const comparison =
  (kind: Comparison): Operator =>
  (args, compiler) => {
    if (args.length < 2) throw new RuleInvalid('a comparison needs two arguments');
    const { place } = compiler;
    const isPlain = args.length === 2 && isConstant(args[1]);
    if (place.isTracked || !(kind.isStrict || place.isInterpreted || isPlain))
      return onRegister(kind, args, compiler);
    const compare = kind.isStrict ? kind.raw : compareLoosely(kind);
    // once each: what is compiled twice at every level takes for ever at a hundred
    const terms = args.map((arg) => compiler.compile(arg));
    if (terms.length > 2) return between(compare, terms);
    const [left, right] = terms as [Term, Term];
    return isLiteral(args[1])
      ? withLiteral(kind, compare, left, args[1])
      : (data) => compare(left(data), right(data));
  };

/** The usual form: an attribute beside a text or a number. */
const withLiteral = (kind: Comparison, compare: Compare, left: Term, right: unknown): Term => {
  if (kind.isStrict) return (data) => compare(left(data), right);
  if (typeof right === 'string') {
    const { ofTexts } = kind;
    return (data) => {
      const value = left(data);
      return typeof value === 'string' ? ofTexts(value, right) : compare(value, right);
    };
  }
  if (typeof right === 'number') {
    const { ofNumbers } = kind;
    return (data) => {
      const value = left(data);
      return typeof value === 'number' && !Number.isNaN(value)
        ? ofNumbers(value, right)
        : compare(value, right);
    };
  }
  return (data) => compare(left(data), right);
};

const between =
  (compare: Compare, terms: readonly Term[]): Term =>
  (data) => {
    let previous = terms[0]!(data);
    for (let i = 1; i < terms.length; i += 1) {
      const current = terms[i]!(data);
      if (!compare(previous, current)) return false;
      previous = current;
    }
    return true;
  };

/**
 * json-logic-engine compiles both sides of a comparison onto one variable. A right side that reads the context overwrites
 * what the left one left there, so that the types of the wrong value are checked: a text beside an attribute that is a number
 * is then unequal, not an error. flagd-core does it, so we do.
 */
const onRegister: (kind: Comparison, ...of: Parameters<Operator>) => Term = (
  kind,
  args,
  { compile, frame },
) => {
  const terms = args.map((arg) => compile(arg, { isTracked: true }));
  const { raw, isStrict } = kind;
  return (data) => {
    frame.register = terms[0]!(data);
    for (let i = 1; i < terms.length; i += 1) {
      const left = frame.register;
      const item = terms[i]!(data);
      const right = isStrict ? item : checked(item, frame.register);
      if (terms.length > 2) frame.register = right;
      if (!raw(left, right)) return false;
    }
    return true;
  };
};

const checked = (item: unknown, register: unknown): unknown => {
  if (isText(item) && isText(register)) return item;
  if (register !== null || (item !== null && typeof item === 'object')) numberOf(item);
  numberOf(register);
  if (register === null && !item) return null;
  return item === null && !register ? 0 : item;
};

const kind = (of: CompareAs<never>, raw: Compare = of as Compare): Comparison => ({
  ofTexts: of as CompareAs<string>,
  ofNumbers: of as CompareAs<number>,
  raw,
  isStrict: false,
});

const areEqual: CompareAs<unknown> = (a, b) => a === b;
const differ: CompareAs<unknown> = (a, b) => a !== b;
// biome-ignore lint/suspicious/noDoubleEquals: JsonLogic's == is JavaScript's
const areLooselyEqual: Compare = (a, b) => a == b;

export const comparisonOperators: Record<string, Operator> = {
  '==': comparison(kind(areEqual, areLooselyEqual)),
  '!=': comparison(kind(differ, (a, b) => !areLooselyEqual(a, b))),
  '===': comparison({ ...kind(areEqual), isStrict: true }),
  '!==': comparison({ ...kind(differ), isStrict: true }),
  '<': comparison(kind((a, b) => a < b)),
  '<=': comparison(kind((a, b) => a <= b)),
  '>': comparison(kind((a, b) => a > b)),
  '>=': comparison(kind((a, b) => a >= b)),
};
