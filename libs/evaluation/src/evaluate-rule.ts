import { compileRule } from './rule/compile-rule.js';
import { newFrame } from './rule/term.js';

/**
 * The value of a bare JsonLogic rule for any data, as a segment's condition or a conformance vector is written. Compiles
 * each time: flags go through `compileFlag`. Throws where a flag would answer ERROR.
 */
export const evaluateRule = (rule: unknown, data: unknown): unknown =>
  compileRule(rule, newFrame(null))(data);
