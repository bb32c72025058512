import { compileRule } from '../rule/compile-rule.js';
import type { Frame } from '../rule/term.js';

/** Operators whose value depends on more than their arguments. */
const READS = new Set(['var', 'missing', 'missing_some', 'fractional']);

/** Whether a rule gives the same for every context. */
export const isConstant = (node: unknown): boolean => {
  if (node === null || typeof node !== 'object') return true;
  if (Array.isArray(node)) return node.every(isConstant);
  return Object.entries(node).every(
    ([name, args]) => !READS.has(name) && name !== '$ref' && isConstant(args),
  );
};

/** What one check may visit in all its constant parts, so that a hostile rule costs no more than a hostile evaluation. */
const MAX_STEPS = 100_000;

/** Gives the value of constant rules, null where one fails. */
export const constantReader = (): ((node: unknown) => { readonly value: unknown } | null) => {
  const frame: Frame = {
    flagKey: '',
    nowSeconds: () => null,
    context: {},
    isSplit: false,
    stepsLeft: MAX_STEPS,
  };
  return (node) => {
    try {
      return { value: compileRule(node, frame)({}) };
    } catch {
      return null;
    }
  };
};
