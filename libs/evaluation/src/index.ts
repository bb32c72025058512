export { bucket, WEIGHT_TOTAL } from './bucket.js';
export { checkRule, RULE_LIMITS, type RuleCheck } from './check/check-rule.js';
export type { RuleProblem, RuleProblemCode } from './check/problem.js';
export { type CompileOptions, compileFlag } from './compile-flag.js';
export { evaluate } from './evaluate.js';
export { evaluateRule } from './evaluate-rule.js';
export { type ExplainedStep, type Explanation, explainFlag } from './explain-flag.js';
export type {
  EvaluableFlag,
  Evaluation,
  EvaluationContext,
  EvaluationReason,
  Evaluator,
} from './flag.js';
export { murmur3, murmur3After } from './murmur3.js';
export { OPERATORS } from './rule/compile-rule.js';
