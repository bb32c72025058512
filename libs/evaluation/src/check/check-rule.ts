import { isConstant } from '../rule/constant.js';
import { isTruthy } from '../rule/values.js';
import { constantReader } from './constants.js';
import { argumentsOf } from './operator-shapes.js';
import { pointer, type Report, type RuleProblem, shown } from './problem.js';
import { checkKind, checkResult } from './results.js';

/** What a rule may be at most: deeper ones are not compiled, and larger ones cost every client memory. */
export const RULE_LIMITS = { depth: 100, nodes: 20_000 } as const;

export interface RuleCheck {
  readonly problems: readonly RuleProblem[];
}

/** Enough to mend a rule by; a hostile one must not make a list as long as itself. */
const MAX_PROBLEMS = 20;

/**
 * Everything that is wrong with a rule before anybody evaluates it: what does not compile, what flagd's JSON Schema
 * refuses, branches that nobody can reach, and results that name none of `variants`. Pass `null` for a condition, whose
 * result serves nothing. References to segments have to be replaced first. Never throws.
 */
export const checkRule = (targeting: unknown, variants: readonly string[] | null): RuleCheck => {
  const problems: RuleProblem[] = [];
  const checker: Checker = {
    report: (path, code, message) => {
      if (problems.length < MAX_PROBLEMS) problems.push({ path, code, message });
    },
    constantOf: constantReader(),
    variants: variants && new Set(variants),
    nodes: 0,
  };
  check(checker, { node: targeting, path: '', depth: 0, isResult: variants !== null, isInConstant: false });
  return { problems };
};

interface Checker {
  readonly report: Report;
  readonly constantOf: ReturnType<typeof constantReader>;
  readonly variants: ReadonlySet<string> | null;
  nodes: number;
}

interface Place {
  readonly node: unknown;
  readonly path: string;
  readonly depth: number;
  /** Whether this node's value names the variant. */
  readonly isResult: boolean;
  /** Whether a constant rule around this one has been run already. */
  readonly isInConstant: boolean;
}

const check = (checker: Checker, place: Place): void => {
  const { node, path, depth } = place;
  if (!isWithinLimits(checker, place)) return;
  if (node === null || typeof node !== 'object') {
    if (place.isResult) checkResult(node, path, checker.variants, checker.report);
  } else if (Array.isArray(node)) {
    if (place.isResult) checkResult(node, path, checker.variants, checker.report);
    for (const [index, item] of node.entries()) {
      check(checker, { ...place, node: item, path: pointer(path, index), depth: depth + 1, isResult: false });
    }
  } else if (depth > 0 || Object.keys(node).length > 0) checkOperator(checker, place);
};

const isWithinLimits = (checker: Checker, { path, depth }: Place): boolean => {
  checker.nodes += 1;
  if (checker.nodes === RULE_LIMITS.nodes + 1) {
    const mend = 'list values under one "in" in place of many comparisons';
    checker.report(path, 'too-large', `rule has more than ${RULE_LIMITS.nodes} parts: ${mend}`);
  }
  if (checker.nodes > RULE_LIMITS.nodes) return false;
  if (depth <= RULE_LIMITS.depth) return true;
  const mend = 'write each "else if" as two more arguments of one if';
  checker.report(path, 'too-deep', `rule is nested deeper than ${RULE_LIMITS.depth}: ${mend}`);
  return false;
};

const checkOperator = (checker: Checker, place: Place): void => {
  const { report } = checker;
  const node = place.node as Record<string, unknown>;
  const names = Object.keys(node);
  const [name = ''] = names;
  if (names.length !== 1) {
    const found = names.length === 0 ? 'none' : names.slice(0, 5).join(', ');
    report(place.path, 'not-one-operator', `expected one operator in the object, found ${found}`);
    return;
  }
  const written = node[name];
  if (name === '$ref') {
    const mend = 'create it in this channel first, or write its condition here';
    report(place.path, 'unresolved-reference', `segment ${shown(written)} does not exist: ${mend}`);
    return;
  }
  const path = pointer(place.path, name);
  const args = argumentsOf(name, written, path, report);
  if (!args) return;
  if (place.isResult) checkKind(name, place.path, checker.variants, report);
  const isRunHere = !place.isInConstant && isConstant(node);
  if (isRunHere && checker.constantOf(node) === null) {
    report(place.path, 'fails-always', `${name} cannot handle what is written here, whatever the context`);
  }
  if (name === 'if' || name === 'and' || name === 'or') checkReach(checker, name, args, path);
  const isInConstant = place.isInConstant || isRunHere;
  for (const [index, arg] of args.entries()) {
    const at = Array.isArray(written) ? pointer(path, index) : path;
    const isShare = name === 'fractional' && Array.isArray(arg);
    const inner = isShare ? arg : [arg];
    for (const [part, item] of inner.entries()) {
      check(checker, {
        node: item,
        path: isShare ? pointer(at, part) : at,
        depth: place.depth + (isShare ? 2 : 1),
        isResult: place.isResult && (isShare ? part === 0 : name === 'if' && isBranch(index, args.length)),
        isInConstant,
      });
    }
  }
};

/** `[condition, then, condition, then, …, else]`; a list of one is its own result. */
const isBranch = (index: number, count: number): boolean =>
  index % 2 === 1 || (index === count - 1 && count % 2 === 1);

/** Branches after a condition that always holds, under one that never does, or under one that an earlier branch has. */
const checkReach = (
  { report, constantOf }: Checker,
  name: 'if' | 'and' | 'or',
  args: readonly unknown[],
  path: string,
): void => {
  const seen = new Set<string>();
  const step = name === 'if' ? 2 : 1;
  for (let i = 0; i + 1 < args.length; i += step) {
    const condition = args[i];
    const constant = isConstant(condition) ? constantOf(condition) : null;
    if (constant && isTruthy(constant.value) === (name !== 'and')) {
      if (i + step < args.length) {
        const message = `nobody gets here: ${shown(condition)} before it always decides`;
        report(pointer(path, i + step), 'unreachable', message);
      }
      return;
    }
    if (name !== 'if') continue;
    const text = JSON.stringify(condition);
    if (constant || seen.has(text)) {
      const cause = constant ? 'its condition never holds' : 'an earlier branch has the same condition';
      report(pointer(path, i + 1), 'unreachable', `nobody gets here: ${cause}`);
    }
    seen.add(text);
  }
};
