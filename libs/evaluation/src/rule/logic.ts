import {
  compileLate,
  constant,
  INTERPRETED,
  type Operator,
  type Place,
  type RuleCompiler,
  type Term,
  tracked,
} from './term.js';
import { isTruthy } from './values.js';

/** json-logic-engine compiles an `if` with an else, and interprets the others. */
export const branchPlace = (args: readonly unknown[]): Partial<Place> => (args.length < 3 ? INTERPRETED : {});

const choose: Operator = (args, compiler) => {
  if (args.length === 0) return constant(null);
  const place = branchPlace(args);
  const compile = isLate(args, { ...compiler.place, ...place }) ? compileLate : compileNow;
  const terms = args.map((arg) => compile(compiler.compile, arg, place));
  if (terms.length === 1) return terms[0]!;
  const otherwise = terms.length % 2 === 1 ? terms[terms.length - 1]! : constant(null);
  return chain(terms, otherwise);
};

/** The interpreter works out an `if` of three at once, and any other as it goes. */
export const isLate = (args: readonly unknown[], { isInterpreted }: Pick<Place, 'isInterpreted'>): boolean =>
  isInterpreted && args.length !== 3;

/** `[condition, then, condition, then, …]`: the usual lengths without a loop. */
export const chain = <T>(
  terms: readonly ((data: unknown) => unknown)[],
  otherwise: (data: unknown) => T,
): ((data: unknown) => T) => {
  const [condition, then, condition2, then2] = terms as readonly ((data: unknown) => T)[];
  if (terms.length < 4) {
    return (data) => (isTruthy(condition!(data)) ? then!(data) : otherwise(data));
  }
  if (terms.length < 6) {
    return (data) => {
      if (isTruthy(condition!(data))) return then!(data);
      return isTruthy(condition2!(data)) ? then2!(data) : otherwise(data);
    };
  }
  const pairs = Math.floor(terms.length / 2);
  return (data) => {
    for (let i = 0; i < pairs; i += 1) {
      if (isTruthy(terms[2 * i]!(data))) return terms[2 * i + 1]!(data) as T;
    }
    return otherwise(data);
  };
};

const compileNow: typeof compileLate = (compile, rule, changes) => compile(rule, changes);

const first =
  (stopsAt: boolean): Operator =>
  (args, compiler) => {
    const { compile, place } = compiler;
    const terms = args.map((arg) => (place.isInterpreted ? compileLate(compile, arg) : compile(arg)));
    const [left, right] = terms as [Term, Term];
    if (terms.length === 2) {
      return tracked(compiler, (data) => {
        const value = left(data);
        return isTruthy(value) === stopsAt ? value : right(data);
      });
    }
    return tracked(compiler, (data) => {
      let value: unknown = null;
      for (let i = 0; i < terms.length; i += 1) {
        value = terms[i]!(data);
        if (isTruthy(value) === stopsAt) return value;
      }
      return value;
    });
  };

/** The interpreter looks into a list that is the only argument. */
const onlyValue = (args: readonly unknown[], { compile, place }: RuleCompiler): Term => {
  const term = compile(args[0] ?? null);
  if (!place.isInterpreted || Array.isArray(args[0])) return term;
  return (data) => {
    const value = term(data);
    return Array.isArray(value) ? value[0] : value;
  };
};

const isNot: Operator = (args, compiler) => {
  const term = onlyValue(args, compiler);
  return (data) => !isTruthy(term(data));
};

const is: Operator = (args, compiler) => {
  const term = onlyValue(args, compiler);
  return (data) => isTruthy(term(data));
};

export const logicOperators: Record<string, Operator> = {
  if: choose,
  '?:': choose,
  and: first(false),
  or: first(true),
  '!': isNot,
  '!!': is,
};
