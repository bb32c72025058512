import { argumentList } from './arithmetic.js';
import { isConstant } from './constant.js';
import {
  compileLate,
  constant,
  type Frame,
  isLiteral,
  type Operator,
  type RuleCompiler,
  RuleFailed,
  type Term,
} from './term.js';
import { isTruthy, listOf } from './values.js';

/** `merge` in a `reduce` doubles like `cat` does. */
const MAX_LIST = 100_000;

const spend = (frame: Frame): void => {
  frame.stepsLeft -= 1;
  if (frame.stepsLeft < 0) throw new RuleFailed('the rule visits too many elements');
};

const INNER = { isInner: true, isTracked: false } as const;

const partsOf = (
  args: readonly unknown[],
  { compile, place }: Pick<RuleCompiler, 'compile' | 'place'>,
): readonly [source: Term, body: Term] => {
  const [source = null, body = null] = args;
  return place.isInterpreted
    ? [compileLate(compile, source), compileLate(compile, body, INNER)]
    : [compile(source), compile(body, INNER)];
};

type Collect = (list: readonly unknown[], body: Term) => unknown;

/** `collect` gets the list and a function that runs the rule's body on one element. */
const iterator =
  (
    collect: Collect,
    itemsOf: (value: unknown, isInterpreted: boolean) => readonly unknown[] = listOf,
  ): Operator =>
  (args, { compile, frame, place }) => {
    frame.usesSteps = true;
    const [source, body] = partsOf(args, { compile, place });
    const step: Term = (element) => {
      spend(frame);
      return body(element);
    };
    return (data) => collect(itemsOf(source(data), place.isInterpreted), step);
  };

/** The interpreter goes over whatever has a length, texts included; compiled code needs a list. */
const itemsToTest = (value: unknown, isInterpreted: boolean): readonly unknown[] => {
  if (!isInterpreted || Array.isArray(value)) return listOf(value);
  return typeof value === 'string' ? value.split('') : [];
};

/** The interpreter does not even look at the list where the condition is a constant. */
const filter: Operator = (args, compiler) => {
  const { compile, place } = compiler;
  const body = place.isInterpreted && args.length === 2 ? takenBranch(args[1], compile) : null;
  if (place.isInterpreted && args.length === 2 && isConstant(body)) {
    const keeps = isTruthy(compile(body, INNER)({}));
    return keeps ? compile(args[0]) : constant([]);
  }
  return filterEach(args, compiler);
};

/** What is left of an `if` whose condition is a constant. */
const takenBranch = (body: unknown, compile: RuleCompiler['compile']): unknown => {
  const branches = (body as { readonly if?: unknown } | null)?.if;
  if (!Array.isArray(branches) || branches.length !== 3 || !isConstant(branches[0])) return body;
  const holds = isTruthy(compile(branches[0], INNER)({}));
  return takenBranch(holds ? branches[1] : branches[2], compile);
};

const filterEach = iterator((list, body) => list.filter((element) => isTruthy(body(element))));

const some: Collect = (list, body) => list.some((element) => isTruthy(body(element)));

/** An empty list has nobody for whom it holds; compiled code says the contrary of what is no list at all. */
const all: Operator = (args, { compile, frame, place }) => {
  frame.usesSteps = true;
  const [source, body] = partsOf(args, { compile, place });
  return (data) => {
    const value = source(data);
    if (place.isTracked) frame.register = value;
    if (Array.isArray(value) ? value.length === 0 : place.isInterpreted && !value) return false;
    return itemsToTest(value, place.isInterpreted).every((element) => {
      spend(frame);
      return isTruthy(body(element));
    });
  };
};

const reduce: Operator = (args, { compile, frame, place }) => {
  const sum = place.isInterpreted ? asSum(args) : null;
  if (sum) return compile(sum);
  frame.usesSteps = true;
  const [source, body] = partsOf(args, { compile, place });
  const initial = compile(args[2] ?? null);
  const step = (accumulator: unknown, current: unknown): unknown => {
    spend(frame);
    return flat(body({ accumulator, current }));
  };
  const hasInitial = args.length > 2;
  return (data) => {
    const list = listOf(source(data));
    if (!hasInitial && list.length === 0) throw new RuleFailed('reduce of an empty list needs a first value');
    return hasInitial ? list.reduce(step, flat(initial(data))) : list.reduce(step);
  };
};

/** The interpreter takes the sum and the product of a list for what they are. */
const asSum = ([list, body, initial]: readonly unknown[]): object | null => {
  for (const [operator, unit] of [
    ['+', 0],
    ['*', 1],
  ] as const) {
    const terms = (body as Record<string, unknown> | null)?.[operator];
    if (!Array.isArray(terms) || terms.length !== 2) continue;
    const names = terms.map((term) => (term as { readonly var?: unknown } | null)?.var);
    if (!names.includes('accumulator') || !names.includes('current')) continue;
    const first = operator === '+' ? initial || unit : (initial ?? unit);
    return { [operator]: [{ [operator]: list }, first] };
  }
  return null;
};

/** json-logic-engine lets nothing nested accumulate, lest it grow without end. */
const flat = (value: unknown): unknown => {
  if (value === null || typeof value !== 'object') return value;
  if (Object.values(value).every(isLiteral)) return value;
  throw new RuleFailed('reduce can only accumulate flat values');
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
  filter,
  all,
  some: iterator(some, itemsToTest),
  none: iterator((list, body) => !some(list, body), itemsToTest),
  reduce,
  merge,
};
