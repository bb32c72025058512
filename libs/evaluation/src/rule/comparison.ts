import { type Operator, RuleInvalid, type Term } from './term.js';
import { numberOf } from './values.js';

type Compare = (a: unknown, b: unknown) => boolean;

const isText = (value: unknown): boolean => typeof value === 'string' || value === null;

/** Two texts compare as texts, all else as numbers; what is no number fails the rule (as json-logic-engine 5 does). */
const loose =
  (ofTexts: (a: string, b: string) => boolean, ofNumbers: (a: number, b: number) => boolean): Compare =>
  (a, b) =>
    isText(a) && isText(b) ? ofTexts(a as string, b as string) : ofNumbers(numberOf(a), numberOf(b));

const comparison =
  (compare: Compare): Operator =>
  (args, { compile }) => {
    if (args.length < 2) throw new RuleInvalid('a comparison needs two arguments');
    const terms = args.map(compile);
    const [left, right] = terms as [Term, Term];
    if (terms.length === 2) return (data) => compare(left(data), right(data));
    return (data) => {
      let previous = left(data);
      for (let i = 1; i < terms.length; i += 1) {
        const current = terms[i]!(data);
        if (!compare(previous, current)) return false;
        previous = current;
      }
      return true;
    };
  };

const areEqual = <T>(a: T, b: T): boolean => a === b;
const differ = <T>(a: T, b: T): boolean => a !== b;

export const comparisonOperators: Record<string, Operator> = {
  '==': comparison(loose(areEqual, areEqual)),
  '!=': comparison(loose(differ, differ)),
  '===': comparison(areEqual),
  '!==': comparison(differ),
  '<': comparison(
    loose(
      (a, b) => a < b,
      (a, b) => a < b,
    ),
  ),
  '<=': comparison(
    loose(
      (a, b) => a <= b,
      (a, b) => a <= b,
    ),
  ),
  '>': comparison(
    loose(
      (a, b) => a > b,
      (a, b) => a > b,
    ),
  ),
  '>=': comparison(
    loose(
      (a, b) => a >= b,
      (a, b) => a >= b,
    ),
  ),
};
