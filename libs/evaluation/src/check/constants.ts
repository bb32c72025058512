import { compileRule } from '../rule/compile-rule.js';
import { newFrame } from '../rule/term.js';

/** Gives the value of constant rules, null where one fails. One frame, so that all of them together cost what one rule may. */
export const constantReader = (): ((node: unknown) => { readonly value: unknown } | null) => {
  const frame = newFrame('');
  return (node) => {
    try {
      return { value: compileRule(node, frame)({}) };
    } catch {
      return null;
    }
  };
};
