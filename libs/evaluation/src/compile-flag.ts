import type { EvaluableFlag, Evaluation, EvaluationReason, Evaluator } from './flag.js';
import { compileRule } from './rule/compile-rule.js';
import { type Frame, RuleInvalid, type Term } from './rule/term.js';

/** Elements that the iterators of one evaluation may visit. */
const MAX_STEPS = 100_000;

export interface CompileOptions {
  /** Clock for `$flagd.timestamp`, in milliseconds. Without one the rule reads null there. */
  readonly now?: () => number;
}

/**
 * Compiles a flag once into a function of the context. The function never throws, is synchronous, and returns one of the
 * outcomes prepared here, so that evaluating a static flag allocates nothing. Reasons are flagd's, and `SPLIT` where a
 * bucket decided.
 */
export const compileFlag = (flag: EvaluableFlag, options: CompileOptions = {}): Evaluator => {
  if (flag.state === 'DISABLED') return always({ reason: 'DISABLED' });
  if (isAbsent(flag.targeting)) return always(outcome(flag, flag.defaultVariant, 'STATIC'));
  const { now } = options;
  const frame: Frame = {
    flagKey: flag.key,
    nowSeconds: now ? () => Math.floor(now() / 1_000) : () => null,
    context: null,
    isSplit: false,
    stepsLeft: 0,
  };
  try {
    return targeted(flag, compileRule(flag.targeting, frame), frame);
  } catch (error) {
    if (!(error instanceof RuleInvalid) && !(error instanceof RangeError)) throw error;
    return always(failure('PARSE_ERROR', `targeting of flag ${flag.key} cannot be read: ${error.message}`));
  }
};

const isAbsent = (targeting: unknown): boolean =>
  targeting === null ||
  targeting === undefined ||
  (typeof targeting === 'object' && Object.keys(targeting).length === 0);

const always =
  (evaluation: Evaluation): Evaluator =>
  () =>
    evaluation;

const targeted = (flag: EvaluableFlag, rule: Term, frame: Frame): Evaluator => {
  const byDefault = outcome(flag, flag.defaultVariant, 'DEFAULT');
  const matches = outcomesOf(flag, 'TARGETING_MATCH');
  const splits = outcomesOf(flag, 'SPLIT');
  return (context) => {
    frame.context = context;
    frame.isSplit = false;
    frame.stepsLeft = MAX_STEPS;
    try {
      const result = rule(context);
      if (result === null || result === undefined) return byDefault;
      const variant = typeof result === 'string' ? result : String(result);
      return (frame.isSplit ? splits : matches).get(variant) ?? unknownVariant(flag, variant);
    } catch (error) {
      return failure(
        'GENERAL',
        `targeting of flag ${flag.key} failed: ${(error as Error)?.message ?? error}`,
      );
    } finally {
      frame.context = null;
    }
  };
};

const outcomesOf = (flag: EvaluableFlag, reason: EvaluationReason): ReadonlyMap<string, Evaluation> =>
  new Map(Object.keys(flag.variants).map((variant) => [variant, outcome(flag, variant, reason)]));

const outcome = (
  flag: EvaluableFlag,
  variant: string | null | undefined,
  reason: EvaluationReason,
): Evaluation => {
  if (variant === null || variant === undefined) return { reason: 'DEFAULT' };
  return Object.hasOwn(flag.variants, variant)
    ? Object.freeze({ variant, value: flag.variants[variant], reason })
    : unknownVariant(flag, variant);
};

const unknownVariant = (flag: EvaluableFlag, variant: string): Evaluation =>
  failure('GENERAL', `flag ${flag.key} has no variant ${JSON.stringify(variant.slice(0, 100))}`);

const failure = (errorCode: 'PARSE_ERROR' | 'GENERAL', errorMessage: string): Evaluation =>
  Object.freeze({ reason: 'ERROR', errorCode, errorMessage });
