import type { JsonValue } from '@headgate/contracts';
import { compileFlag } from '@headgate/evaluation';
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

/** Faults of a condition that no evaluator could read. */
export const checkCondition = (condition: JsonValue, path: string): readonly Problem[] => {
  const { errorCode, errorMessage = '' } = tried(condition)({});
  if (errorCode !== 'PARSE_ERROR') return [];
  const reason = errorMessage.replace(/^.*cannot be read: /, '');
  return [problem(path, 'rule-unreadable', `${reason}; see the operators of flagd’s JsonLogic`)];
};

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
