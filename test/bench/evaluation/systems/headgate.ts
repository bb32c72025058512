import { compileFlag, type EvaluationContext } from '@headgate/evaluation';
import { FLAGD_FLAGS } from '../flagd-flags.js';
import { askEach, type System } from '../system.js';

/** libs/evaluation alone: flags by key, compiled once. */
export const headgate = (version: string): System<EvaluationContext> => {
  const flags = new Map(Object.values(FLAGD_FLAGS).map((flag) => [flag.key, compileFlag(flag)]));
  return {
    system: 'headgate',
    version,
    contextOf: (subject) => ({ ...subject }),
    ask: askEach((key) => ({ sync: (context) => flags.get(key)!(context).value === true })),
  };
};
