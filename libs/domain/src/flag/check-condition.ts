import type { JsonValue } from '@headgate/contracts';
import { checkRule, compileFlag } from '@headgate/evaluation';
import { type Problem, problem } from './problem.js';
import { walk } from './uses.js';

const MET = 'met';
const tried = (rule: JsonValue) =>
  compileFlag({
    key: 'rule',
    state: 'ENABLED',
    variants: { [MET]: true },
    targeting: { if: [rule, MET, null] },
  });

/** Faults of a condition by itself. */
export const checkCondition = (condition: JsonValue, path: string): readonly Problem[] =>
  // Where it will stand: within a rule an empty object is none.
  checkRule({ if: [condition, MET, null] }, null).problems.flatMap(({ path: at, code, message }) =>
    at.startsWith('/if/0') ? [problem(`${path}${dotted(at.slice('/if/0'.length))}`, code, message)] : [],
  );

/** A JSON pointer as the rest of a dotted path. */
export const dotted = (pointer: string): string =>
  pointer.replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');

/** What a condition that reads nothing of its context always says; null for any other. */
export const constantOf = (condition: JsonValue): boolean | null => {
  let isConstant = true;
  walk(condition, (node) => {
    if (node === null || typeof node !== 'object' || Array.isArray(node)) return;
    const [operator = ''] = Object.keys(node);
    if (READING.includes(operator)) isConstant = false;
  });
  if (!isConstant) return null;
  const { reason, variant } = tried(condition)({});
  return reason === 'ERROR' ? null : variant === MET;
};

const READING: readonly string[] = ['var', 'missing', 'missing_some', 'fractional', '$ref'];
