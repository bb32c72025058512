/** A compiled rule: takes the data in scope (the context, or an iterator's element), gives a value. */
export type Term = (data: unknown) => unknown;

/**
 * What one flag's rule shares while it is evaluated. Evaluation is synchronous, so one per flag is enough and evaluating
 * allocates nothing. The three `uses…` are known once the rule is compiled, and spare the others the work.
 */
export interface Frame {
  /** Null for a bare rule: it has no `$flagd`. */
  readonly flagKey: string | null;
  readonly nowSeconds: () => number | null;
  /** The context that the caller passed, whatever an iterator has put in scope. */
  context: unknown;
  usesContext: boolean;
  /** Whether a bucket took part in the decision. */
  isSplit: boolean;
  usesBuckets: boolean;
  /** Elements that iterators may still visit: bounds what a hostile document can cost. */
  stepsLeft: number;
  usesSteps: boolean;
  /** See `compareLoosely`: the register that json-logic-engine compiles comparisons onto. */
  register: unknown;
}

/** Elements that the iterators of one evaluation may visit. */
export const MAX_STEPS = 100_000;

export const newFrame = (flagKey: string | null, nowSeconds: () => number | null = () => null): Frame => ({
  flagKey,
  nowSeconds,
  context: null,
  usesContext: false,
  isSplit: false,
  usesBuckets: false,
  stepsLeft: MAX_STEPS,
  usesSteps: false,
  register: null,
});

/**
 * Where a rule stands. flagd-core is the measure of results, and json-logic-engine, which it runs on, has two ways of
 * working: it compiles, but interprets constant parts and every `if` without an else, with results of their own on odd
 * data. `isInterpreted` says which of the two to agree with.
 */
export interface Place {
  readonly depth: number;
  readonly isInterpreted: boolean;
  /** Whether an iterator's element is in scope in place of the context. */
  readonly isInner: boolean;
  /** Whether values have to be left in the frame's register. */
  readonly isTracked: boolean;
}

export const AT_ROOT: Place = { depth: 0, isInterpreted: false, isInner: false, isTracked: false };

const MAX_DEPTH = 100;

export const refuseDeep = ({ depth }: Place): void => {
  if (depth > MAX_DEPTH) throw new RuleInvalid(`rule is nested deeper than ${MAX_DEPTH}`);
};

/** Interpreted parts leave nothing in the register. */
export const INTERPRETED = { isInterpreted: true, isTracked: false } as const;

export interface RuleCompiler {
  readonly frame: Frame;
  readonly place: Place;
  /** Whether the argument was written without a list around it. */
  readonly isBare: boolean;
  /** Compiles an argument where this operator stands, or elsewhere. */
  readonly compile: (rule: unknown, place?: Partial<Place>) => Term;
  /** What an explanation wants to know of a bucket. */
  readonly onBucket: ((bucketBy: string, bucket: number, total: number) => void) | null;
}

/** Builds the term of one operator from its arguments as written. */
export type Operator = (args: readonly unknown[], compiler: RuleCompiler) => Term;

/** The rule cannot be compiled: flagd's PARSE_ERROR. */
export class RuleInvalid extends Error {
  override readonly name: string = 'RuleInvalid';
}

/** A constant part of the rule fails: flagd's PARSE_ERROR too, except where json-logic-engine only finds out when it gets there. */
export class PartFails extends RuleInvalid {}

/** The rule met data that it cannot handle: flagd's GENERAL. */
export class RuleFailed extends Error {
  override readonly name = 'RuleFailed';
}

export const isLiteral = (rule: unknown): boolean => rule === null || typeof rule !== 'object';

export const constant =
  (value: unknown): Term =>
  () =>
    value;

/** Leaves a term's value in the frame's register, where the place asks for it. */
export const tracked = ({ frame, place }: RuleCompiler, term: Term): Term => {
  if (!place.isTracked) return term;
  return (data) => {
    const value = term(data);
    frame.register = value;
    return value;
  };
};

/** Compiles what the interpreter does not look at before it gets there: a constant part that fails, fails then. */
export const late = <T>(compile: () => (data: unknown) => T): ((data: unknown) => T) => {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof PartFails)) throw error;
    const { message } = error;
    return () => {
      throw new RuleFailed(message);
    };
  }
};

export const compileLate = (
  compile: RuleCompiler['compile'],
  rule: unknown,
  changes: Partial<Place> = {},
): Term => late(() => compile(rule, changes));
