import type { EvaluableFlag, Evaluation, EvaluationContext, Evaluator } from './flag.js';
import { failure, type Outcomes, outcome, outcomesOf } from './outcomes.js';
import { compileOutcome } from './rule/compile-outcome.js';
import { compileRule } from './rule/compile-rule.js';
import { type Frame, MAX_STEPS, newFrame, RuleInvalid, type Term } from './rule/term.js';

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
  const fixed = fixedOutcome(flag);
  if (fixed) return () => fixed;
  try {
    return targeted(flag, frameOf(flag, options));
  } catch (error) {
    const refused = refusal(flag, error);
    return () => refused;
  }
};

/** The outcome of a flag that asks no rule. */
const fixedOutcome = (flag: EvaluableFlag): Evaluation | null => {
  if (flag.state === 'DISABLED') return { reason: 'DISABLED' };
  return isAbsent(flag.targeting) ? outcome(flag, flag.defaultVariant || null, 'STATIC') : null;
};

/** To flagd a rule is what has members: numbers and truth values are none. */
const isAbsent = (targeting: unknown): boolean => !targeting || Object.keys(targeting).length === 0;

export const frameOf = (flag: EvaluableFlag, { now }: CompileOptions): Frame =>
  newFrame(flag.key, now ? () => Math.floor(now() / 1_000) : () => null);

const refusal = (flag: EvaluableFlag, error: unknown): Evaluation => {
  if (!(error instanceof RuleInvalid) && !(error instanceof RangeError)) throw error;
  return failure('PARSE_ERROR', `targeting of flag ${flag.key} cannot be read: ${error.message}`);
};

const failed = (flag: EvaluableFlag, error: unknown): Evaluation =>
  failure('GENERAL', `targeting of flag ${flag.key} failed: ${(error as Error)?.message ?? error}`);

const targeted = (flag: EvaluableFlag, frame: Frame): Evaluator => {
  const outcomes = outcomesOf(flag);
  const direct = compileOutcome(flag.targeting, frame, outcomes);
  const evaluate = direct ?? named(compileRule(flag.targeting, frame), frame, outcomes);
  const attempt: Evaluator = (context) => {
    try {
      return evaluate(context);
    } catch (error) {
      return failed(flag, error);
    }
  };
  const isPlain = !frame.usesContext && !frame.usesSteps && (direct !== null || !frame.usesBuckets);
  return isPlain ? attempt : prepared(frame, attempt);
};

/** Rules with parts that share something while they run. */
const prepared = (frame: Frame, attempt: Evaluator): Evaluator => {
  return (context: EvaluationContext) => {
    frame.isSplit = false;
    frame.stepsLeft = MAX_STEPS;
    if (!frame.usesContext) return attempt(context);
    frame.context = context;
    const evaluation = attempt(context);
    frame.context = null;
    return evaluation;
  };
};

const named =
  (rule: Term, frame: Frame, outcomes: Outcomes): Evaluator =>
  (context) =>
    outcomes.of(rule(context), frame.isSplit);
