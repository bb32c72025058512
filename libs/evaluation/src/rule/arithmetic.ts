import { type Operator, type RuleCompiler, RuleFailed, type Term } from './term.js';
import { numberOf } from './values.js';

/** Arguments as a list: written out, or one expression whose value is the list. */
export const argumentList = (
  args: readonly unknown[],
  { compile }: RuleCompiler,
): ((data: unknown) => unknown[]) => {
  const terms = args.map(compile);
  const only = terms[0];
  const [written] = args;
  if (
    terms.length === 1 &&
    only &&
    typeof written === 'object' &&
    written !== null &&
    !Array.isArray(written)
  ) {
    return (data) => {
      const value = only(data);
      return Array.isArray(value) ? value : [value];
    };
  }
  return (data) => terms.map((term) => term(data));
};

const finite = (value: number): number => {
  if (!Number.isFinite(value)) throw new RuleFailed('arithmetic left the range of numbers');
  return value;
};

const arithmetic =
  (of: (numbers: readonly number[]) => number): Operator =>
  (args, compiler): Term => {
    const list = argumentList(args, compiler);
    return (data) => finite(of(list(data).map(numberOf)));
  };

const fold = (numbers: readonly number[], step: (a: number, b: number) => number): number => {
  if (numbers.length === 0) throw new RuleFailed('arithmetic needs an argument');
  return numbers.reduce(step);
};

/** Unlike the others these take numbers only: "10" is not quietly 10. */
const extreme =
  (of: (...numbers: number[]) => number): Operator =>
  (args, compiler) => {
    const list = argumentList(args, compiler);
    return (data) => {
      const values = list(data);
      if (values.length === 0 || !values.every((value) => typeof value === 'number')) {
        throw new RuleFailed('min and max need numbers');
      }
      return (values as number[]).reduce((a, b) => of(a, b));
    };
  };

export const arithmeticOperators: Record<string, Operator> = {
  '+': arithmetic((numbers) => numbers.reduce((a, b) => a + b, 0)),
  '*': arithmetic((numbers) => numbers.reduce((a, b) => a * b, 1)),
  '-': arithmetic((numbers) => (numbers.length === 1 ? -numbers[0]! : fold(numbers, (a, b) => a - b))),
  '/': arithmetic((numbers) => (numbers.length === 1 ? 1 / numbers[0]! : fold(numbers, (a, b) => a / b))),
  '%': arithmetic((numbers) => (numbers.length < 2 ? Number.NaN : fold(numbers, (a, b) => a % b))),
  min: extreme(Math.min),
  max: extreme(Math.max),
};
