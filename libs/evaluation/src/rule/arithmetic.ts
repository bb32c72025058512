import { isConstant } from './constant.js';
import { isLiteral, type Operator, PartFails, type RuleCompiler, RuleFailed, type Term } from './term.js';
import { numberOf } from './values.js';

/** Arguments as a list: written out, or one expression in place of a list, which stands for the list that it gives. */
export const argumentList = (
  args: readonly unknown[],
  { compile, isBare }: RuleCompiler,
  spreads = isBare,
): ((data: unknown) => readonly unknown[]) => {
  const terms = args.map((arg) => compile(arg));
  const [only] = terms;
  if (!only || terms.length > 1 || !spreads || isLiteral(args[0]) || Array.isArray(args[0])) {
    return (data) => terms.map((term) => term(data));
  }
  return (data) => {
    const value = only(data);
    return Array.isArray(value) ? value : [value];
  };
};

const inRange = (value: number): number => {
  if (Number.isNaN(value)) throw new RuleFailed('arithmetic left the range of numbers');
  return value;
};

interface Arithmetic {
  readonly of: (numbers: readonly number[]) => number;
  /** The interpreter's own way, where it looks at less. */
  readonly ofValues?: (values: readonly unknown[]) => number;
  readonly isDivision?: boolean;
  /** The interpreter takes a list that is the only argument for the arguments. */
  readonly isUnary?: boolean;
}

const arithmetic =
  ({ of, ofValues, isDivision = false, isUnary = false }: Arithmetic): Operator =>
  (args, compiler): Term => {
    const { isInterpreted } = compiler.place;
    if (!isInterpreted) refuseNonsense(args, isDivision, compiler.compile);
    const ofNumbers = (values: readonly unknown[]) => inRange(of(values.map(numberOf)));
    if (isInterpreted && ofValues && args.length === 1)
      return ofOnly(args[0], { ofNumbers, ofValues }, compiler);
    const list = argumentList(args, compiler, compiler.isBare || (isInterpreted && isUnary));
    const calculate = (isInterpreted && ofValues) || ofNumbers;
    return (data) => calculate(list(data));
  };

type Calculate = (values: readonly unknown[]) => number;

const ofOnly = (
  arg: unknown,
  { ofNumbers, ofValues }: { readonly ofNumbers: Calculate; readonly ofValues: Calculate },
  { compile }: RuleCompiler,
): Term => {
  const only = compile(arg);
  const isWritten = Array.isArray(arg);
  return (data) => {
    const value = only(data);
    return Array.isArray(value) && !isWritten ? ofValues(value) : ofNumbers([value]);
  };
};

/** What json-logic-engine refuses to compile, even where nobody gets to it. */
const refuseNonsense = (
  args: readonly unknown[],
  isDivision: boolean,
  compile: RuleCompiler['compile'],
): void => {
  for (const [index, arg] of args.entries()) {
    if (Array.isArray(arg)) throw new PartFails('arithmetic needs numbers, got a list');
    if (!isConstant(arg)) continue;
    const value = compile(arg)({});
    const isNumeric = typeof value === 'number' || typeof value === 'string';
    if (typeof value === 'string' && Number.isNaN(Number(value)))
      throw new PartFails('arithmetic needs numbers, got a text');
    if (isNumeric && isDivision && index > 0 && Number(value) === 0) throw new PartFails('division by 0');
  }
};

const divide = (a: number, b: number): number => {
  if (b === 0) throw new RuleFailed('division by 0');
  return a / b;
};

const rawNumber = (value: unknown): number => {
  if (value !== null && typeof value === 'object') throw new RuleFailed('expected a number, got an object');
  return Number(value);
};

/** Divides by a text that reads 0, as long as the outcome is below 0. */
const divideValues = (values: readonly unknown[]): number => {
  const [first, ...rest] = values;
  if (rest.length === 0) return divide(1, inRange(rawNumber(first)));
  let result = rawNumber(first);
  for (const value of rest) {
    if (!value) throw new RuleFailed('division by 0');
    result /= rawNumber(value);
  }
  if (result === Number.POSITIVE_INFINITY) throw new RuleFailed('division by 0');
  return inRange(result);
};

/** Negates a list of one text even where that is no number. */
const subtractValues = (values: readonly unknown[]): number => {
  const [first, ...rest] = values;
  if (values.length === 0) throw new RuleFailed('arithmetic needs an argument');
  if (rest.length === 0) return -rawNumber(first);
  return inRange(rest.reduce<number>((difference, value) => difference - rawNumber(value), rawNumber(first)));
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
  '+': arithmetic({ of: (numbers) => numbers.reduce((a, b) => a + b, 0), isUnary: true }),
  '*': arithmetic({ of: (numbers) => numbers.reduce((a, b) => a * b, 1) }),
  '-': arithmetic({
    of: (numbers) => (numbers.length === 1 ? -numbers[0]! : fold(numbers, (a, b) => a - b)),
    ofValues: subtractValues,
    isUnary: true,
  }),
  '/': arithmetic({
    of: (numbers) => (numbers.length === 1 ? divide(1, numbers[0]!) : fold(numbers, divide)),
    ofValues: divideValues,
    isDivision: true,
  }),
  '%': arithmetic({ of: (numbers) => (numbers.length < 2 ? Number.NaN : fold(numbers, (a, b) => a % b)) }),
  min: extreme(Math.min),
  max: extreme(Math.max),
};
