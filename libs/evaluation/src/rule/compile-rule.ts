import { arithmeticOperators } from './arithmetic.js';
import { comparisonOperators } from './comparison.js';
import { dataOperators } from './data.js';
import { fractional } from './fractional.js';
import { listOperators } from './lists.js';
import { logicOperators } from './logic.js';
import { constant, type Frame, isLiteral, type Operator, RuleInvalid, type Term } from './term.js';
import { textOperators } from './text.js';

const MAX_DEPTH = 100;

const operators = new Map<string, Operator>(
  Object.entries({
    ...logicOperators,
    ...comparisonOperators,
    ...arithmeticOperators,
    ...textOperators,
    ...dataOperators,
    ...listOperators,
    fractional,
  }),
);

/** Names of every operator a targeting rule may use. */
export const OPERATORS: readonly string[] = [...operators.keys()];

/**
 * Turns a flagd JsonLogic rule into closures, once. Throws `RuleInvalid` for an operator that does not exist or a rule
 * that is too deep; never runs code from the rule (no `eval`, no `new Function`).
 */
export const compileRule = (rule: unknown, frame: Frame): Term => {
  const compileAt =
    (depth: number) =>
    (node: unknown): Term => {
      if (isLiteral(node)) return constant(node);
      if (depth > MAX_DEPTH) throw new RuleInvalid(`rule is nested deeper than ${MAX_DEPTH}`);
      const compile = compileAt(depth + 1);
      if (Array.isArray(node)) return list(node, node.map(compile));
      const names = Object.keys(node as object);
      if (names.length === 0) return constant(node);
      const [name] = names as [string];
      const operator = operators.get(name);
      if (names.length > 1)
        throw new RuleInvalid(`expected one operator, found ${names.slice(0, 5).join(', ')}`);
      if (!operator) throw new RuleInvalid(`operator ${JSON.stringify(name.slice(0, 50))} does not exist`);
      const args = (node as Record<string, unknown>)[name];
      return operator(Array.isArray(args) ? args : [args], { frame, compile });
    };
  return compileAt(0)(rule);
};

const list = (written: readonly unknown[], terms: readonly Term[]): Term =>
  written.every(isLiteral) ? constant(written) : (data) => terms.map((term) => term(data));
