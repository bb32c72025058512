import { compileFlag } from './compile-flag.js';
import type { EvaluableFlag, Evaluation, EvaluationContext, Evaluator } from './flag.js';

const compiled = new WeakMap<EvaluableFlag, Evaluator>();

/**
 * The variant, value and reason of a flag for a context. Same flag and context, same answer, in every process. A document
 * is compiled at its first evaluation and must not be changed afterwards; rules that read `$flagd.timestamp` need a clock:
 * use `compileFlag`.
 */
export const evaluate = (flag: EvaluableFlag | Evaluator, context: EvaluationContext): Evaluation => {
  if (typeof flag === 'function') return flag(context);
  let evaluator = compiled.get(flag);
  if (!evaluator) {
    evaluator = compileFlag(flag);
    compiled.set(flag, evaluator);
  }
  return evaluator(context);
};
