/** A compiled rule: takes the data in scope (the context, or an iterator's element), gives a value. */
export type Term = (data: unknown) => unknown;

/**
 * What one flag's rule shares while it is evaluated. Evaluation is synchronous, so one per flag is enough and evaluating
 * allocates nothing.
 */
export interface Frame {
  readonly flagKey: string;
  readonly nowSeconds: () => number | null;
  /** The context that the caller passed, whatever an iterator has put in scope. */
  context: unknown;
  /** Whether a bucket took part in the decision. */
  isSplit: boolean;
  /** Elements that iterators may still visit: bounds what a hostile document can cost. */
  stepsLeft: number;
}

export interface RuleCompiler {
  readonly frame: Frame;
  compile(rule: unknown): Term;
}

/** Builds the term of one operator from its arguments as written. */
export type Operator = (args: readonly unknown[], compiler: RuleCompiler) => Term;

/** The rule cannot be compiled: flagd's PARSE_ERROR. */
export class RuleInvalid extends Error {
  override readonly name = 'RuleInvalid';
}

/** The rule met data that it cannot handle: flagd's GENERAL. */
export class RuleFailed extends Error {
  override readonly name = 'RuleFailed';
}

export const isLiteral = (rule: unknown): boolean => rule === null || typeof rule !== 'object';

export const constant =
  (value: unknown): Term =>
  () =>
    value;
