import { arithmeticOperators } from './arithmetic.js';
import { comparisonOperators } from './comparison.js';
import { isConstant } from './constant.js';
import { dataOperators } from './data.js';
import { fractional } from './fractional.js';
import { listOperators } from './lists.js';
import { logicOperators } from './logic.js';
import {
  AT_ROOT,
  constant,
  type Frame,
  INTERPRETED,
  isLiteral,
  type Operator,
  PartFails,
  type Place,
  type RuleCompiler,
  RuleInvalid,
  refuseDeep,
  type Term,
} from './term.js';
import { textOperators } from './text.js';
import { semanticVersion } from './version.js';

const operators = new Map<string, Operator>(
  Object.entries({
    ...logicOperators,
    ...comparisonOperators,
    ...arithmeticOperators,
    ...textOperators,
    ...dataOperators,
    ...listOperators,
    sem_ver: semanticVersion,
    fractional,
  }),
);

/** Names of every operator a targeting rule may use. */
export const OPERATORS: readonly string[] = [...operators.keys()];

/** Looks at each operator's term as it is made; an explanation puts itself around it. */
export interface Witness {
  around(node: object, term: Term): Term;
  onBucket(node: object): NonNullable<RuleCompiler['onBucket']>;
}

/**
 * Turns a flagd JsonLogic rule into closures, once. Throws `RuleInvalid` for an operator that does not exist or a rule
 * that is too deep; never runs code from the rule (no `eval`, no `new Function`).
 */
export const compileRule = (rule: unknown, frame: Frame, witness: Witness | null = null): Term =>
  ruleCompiler(frame, witness)(rule, AT_ROOT);

/** The same for any place of a rule. */
export const ruleCompiler = (frame: Frame, witness: Witness | null = null) => {
  const compileAt = (node: unknown, place: Place): Term => {
    if (isLiteral(node)) return constant(node);
    refuseDeep(place);
    if (Array.isArray(node)) {
      return list(
        node,
        node.map((item) => compileAt(item, { ...place, depth: place.depth + 1 })),
      );
    }
    const operator = operatorOf(node as object);
    if (!operator) return constant(node);
    const { args, isBare, build } = operator;
    const folds = isConstant(node);
    const inner = folds ? { ...place, ...INTERPRETED } : place;
    const term = build(args, {
      frame,
      place: inner,
      isBare,
      compile: (arg, changes) => compileAt(arg, { ...inner, ...changes, depth: place.depth + 1 }),
      onBucket: witness?.onBucket(node as object) ?? null,
    });
    const ready = folds ? fold(term) : term;
    return witness ? witness.around(node as object, ready) : ready;
  };
  return compileAt;
};

export interface Written {
  readonly build: Operator;
  readonly args: readonly unknown[];
  readonly isBare: boolean;
}

export const operatorOf = (node: object): Written | null => {
  const names = Object.keys(node);
  const [name] = names;
  if (name === undefined) return null;
  if (names.length > 1) throw new RuleInvalid(`expected one operator, found ${names.slice(0, 5).join(', ')}`);
  const build = operators.get(name);
  if (!build) throw new RuleInvalid(`operator ${JSON.stringify(name.slice(0, 50))} does not exist`);
  const args = (node as Record<string, unknown>)[name];
  return Array.isArray(args) ? { build, args, isBare: false } : { build, args: [args], isBare: true };
};

/** Works out a constant part when the rule is compiled. One that fails makes the rule invalid, as in flagd-core. */
const fold = (term: Term): Term => {
  try {
    return constant(term({}));
  } catch (error) {
    throw new PartFails(`part of the rule fails whatever the context: ${(error as Error).message}`);
  }
};

const list = (written: readonly unknown[], terms: readonly Term[]): Term =>
  written.every(isLiteral) ? constant(written) : (data) => terms.map((term) => term(data));
