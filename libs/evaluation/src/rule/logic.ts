import { constant, type Operator, type Term } from './term.js';
import { isTruthy } from './values.js';

const choose: Operator = (args, { compile }) => {
  const terms = args.map(compile);
  if (terms.length === 0) return constant(null);
  if (terms.length === 1) return terms[0]!;
  const otherwise = terms.length % 2 === 1 ? terms[terms.length - 1]! : constant(null);
  const pairs = Math.floor(terms.length / 2);
  if (pairs === 1) {
    const [condition, then] = terms as [Term, Term];
    return (data) => (isTruthy(condition(data)) ? then(data) : otherwise(data));
  }
  return (data) => {
    for (let i = 0; i < pairs; i += 1) {
      if (isTruthy(terms[2 * i]!(data))) return terms[2 * i + 1]!(data);
    }
    return otherwise(data);
  };
};

const first =
  (stopsAt: boolean): Operator =>
  (args, { compile }) => {
    const terms = args.map(compile);
    return (data) => {
      let value: unknown = null;
      for (let i = 0; i < terms.length; i += 1) {
        value = terms[i]!(data);
        if (isTruthy(value) === stopsAt) return value;
      }
      return value;
    };
  };

const isNot: Operator = (args, { compile }) => {
  const term = compile(args[0] ?? null);
  return (data) => !isTruthy(term(data));
};

const is: Operator = (args, { compile }) => {
  const term = compile(args[0] ?? null);
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
