import type { Evaluation } from '../flag.js';
import type { Outcomes } from '../outcomes.js';
import { operatorOf, ruleCompiler } from './compile-rule.js';
import { isConstant } from './constant.js';
import { MAX_PLACE, NOTHING, shareAt, splitOf } from './fractional.js';
import { branchPlace, chain, isLate } from './logic.js';
import { AT_ROOT, type Frame, late, type Place, type RuleCompiler, refuseDeep } from './term.js';

/** A rule in the place of a result, straight to the outcome that it names. */
type Decision = (data: unknown) => Evaluation;

interface OutcomeCompiler {
  readonly frame: Frame;
  readonly outcomes: Outcomes;
  readonly compileTerm: ReturnType<typeof ruleCompiler>;
}

/**
 * Compiles a rule whose buckets stand only where results stand: its branches end in outcomes prepared before, and evaluating
 * looks up nothing. Null for a rule with a bucket in a condition, whose reason depends on more than the branch taken.
 */
export const compileOutcome = (rule: unknown, frame: Frame, outcomes: Outcomes): Decision | null =>
  hidesBucket(rule, true)
    ? null
    : decide({ frame, outcomes, compileTerm: ruleCompiler(frame) }, rule, AT_ROOT);

const decide = (compiler: OutcomeCompiler, node: unknown, place: Place): Decision => {
  const { outcomes } = compiler;
  if (node === null || typeof node !== 'object') {
    const evaluation = outcomes.of(node, false);
    return () => evaluation;
  }
  refuseDeep(place);
  const name = operatorName(node);
  if (Array.isArray(argsOf(node)) && !isConstant(node)) {
    if (name === 'if') return branches(compiler, operatorOf(node)?.args ?? [], place);
    const decision = name === 'fractional' ? split(compiler, operatorOf(node)?.args ?? [], place) : null;
    if (decision) return decision;
  }
  const term = compiler.compileTerm(node, place);
  const isSplit = name === 'fractional';
  return (data) => outcomes.of(term(data), isSplit);
};

const branches = (compiler: OutcomeCompiler, args: readonly unknown[], outer: Place): Decision => {
  const place = { ...outer, ...branchPlace(args), depth: outer.depth + 1 };
  const decideLate = (arg: unknown) =>
    isLate(args, place) ? late(() => decide(compiler, arg, place)) : decide(compiler, arg, place);
  if (args.length < 2) return decideLate(args[0] ?? null);
  const hasElse = args.length % 2 === 1;
  const otherwise = decideLate(hasElse ? args[args.length - 1] : null);
  if (asksTwice(args)) return firstOf(decide(compiler, args[1], place), otherwise, compiler.outcomes);
  const pairs = hasElse ? args.slice(0, -1) : args;
  const terms = pairs.map((arg, index) =>
    index % 2 === 1
      ? decideLate(arg)
      : isLate(args, place)
        ? late(() => compiler.compileTerm(arg, place))
        : compiler.compileTerm(arg, place),
  );
  return chain<Evaluation>(terms, otherwise);
};

/** `{"if": [{"!==": [own, null]}, own, other]}`, as rollouts stand around a flag's own rules, which are worked out once. */
const asksTwice = (args: readonly unknown[]): boolean => {
  const [condition, own] = args;
  if (args.length !== 3 || condition === null || typeof condition !== 'object') return false;
  const compared = (condition as { readonly '!=='?: unknown })['!=='];
  if (!Array.isArray(compared) || compared.length !== 2 || compared[1] !== null) return false;
  return JSON.stringify(compared[0]) === JSON.stringify(own);
};

const firstOf = (own: Decision, other: Decision, outcomes: Outcomes): Decision => {
  const byDefault = outcomes.of(null, false);
  return (data) => {
    const evaluation = own(data);
    return evaluation === byDefault ? other(data) : evaluation;
  };
};

const split = (compiler: OutcomeCompiler, args: readonly unknown[], place: Place): Decision | null => {
  const { frame, outcomes, compileTerm } = compiler;
  const inner = { ...place, depth: place.depth + 1 };
  const inPlace: RuleCompiler = {
    frame,
    place,
    isBare: false,
    onBucket: null,
    compile: (arg, changes) => compileTerm(arg, { ...inner, ...changes }),
  };
  const plain = splitOf(args, inPlace);
  if (plain === null) return null;
  const { placeIn, limits, rest } = plain;
  const served = plain.values.map((value) => outcomes.of(value, true));
  const byDefault = outcomes.of(null, false);
  return (data) => {
    const at = placeIn(data);
    if (at <= MAX_PLACE) return served[shareAt(limits, at)]!;
    return at === NOTHING ? byDefault : outcomes.of(rest(data), true);
  };
};

const operatorName = (node: object): string => (Array.isArray(node) ? '' : (Object.keys(node)[0] ?? ''));

const argsOf = (node: object): unknown => (node as Record<string, unknown>)[operatorName(node)];

/** Whether a bucket stands where its value is asked for, not served. */
const hidesBucket = (node: unknown, isResult: boolean): boolean => {
  if (node === null || typeof node !== 'object') return false;
  if (Array.isArray(node)) return node.some((item) => hidesBucket(item, false));
  const name = operatorName(node);
  if (name === 'fractional') return !isResult;
  const args = argsOf(node);
  if (!isResult || name !== 'if' || !Array.isArray(args)) return hidesBucket(args, false);
  const isTwice = asksTwice(args);
  return args.some((arg, index) => {
    const isBranch = index % 2 === 1 || index === args.length - 1;
    return (
      !(isTwice && index === 0) && hidesBucket(arg, isBranch && !(args.length % 2 === 0 && index % 2 === 0))
    );
  });
};
