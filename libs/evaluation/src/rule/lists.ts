import { argumentList } from './arithmetic.js';
import { type Frame, type Operator, RuleFailed, type Term } from './term.js';
import { isTruthy, listOf } from './values.js';

/** `merge` in a `reduce` doubles like `cat` does. */
const MAX_LIST = 100_000;

const spend = (frame: Frame): void => {
  frame.stepsLeft -= 1;
  if (frame.stepsLeft < 0) throw new RuleFailed('the rule visits too many elements');
};

/** `collect` gets the list and a function that runs the rule's body on one element. */
const iterator =
  (collect: (list: readonly unknown[], body: Term) => unknown): Operator =>
  (args, { compile, frame }) => {
    const [source, body] = [compile(args[0] ?? null), compile(args[1] ?? null)];
    const step: Term = (element) => {
      spend(frame);
      return body(element);
    };
    return (data) => collect(listOf(source(data)), step);
  };

const some = (list: readonly unknown[], body: Term): boolean =>
  list.some((element) => isTruthy(body(element)));

const reduce: Operator = (args, { compile, frame }) => {
  const [source, body, initial] = [args[0] ?? null, args[1] ?? null, args[2] ?? null].map(compile) as [
    Term,
    Term,
    Term,
  ];
  const step = (accumulator: unknown, current: unknown): unknown => {
    spend(frame);
    return body({ accumulator, current });
  };
  const hasInitial = args.length > 2;
  return (data) => {
    const list = listOf(source(data));
    if (!hasInitial && list.length === 0) throw new RuleFailed('reduce of an empty list needs a first value');
    return hasInitial ? list.reduce(step, initial(data)) : list.reduce(step);
  };
};

const merge: Operator = (args, compiler) => {
  const list = argumentList(args, compiler);
  return (data) => {
    const merged = list(data).flat();
    if (merged.length > MAX_LIST) throw new RuleFailed(`list longer than ${MAX_LIST}`);
    return merged;
  };
};

export const listOperators: Record<string, Operator> = {
  map: iterator((list, body) => list.map((element) => body(element))),
  filter: iterator((list, body) => list.filter((element) => isTruthy(body(element)))),
  all: iterator((list, body) => list.length > 0 && list.every((element) => isTruthy(body(element)))),
  some: iterator(some),
  none: iterator((list, body) => !some(list, body)),
  reduce,
  merge,
};
