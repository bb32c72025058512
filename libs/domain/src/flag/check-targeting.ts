import type { FlagDefinition } from '@headgate/contracts';
import { checkRule } from '@headgate/evaluation';
import { checkAttributes } from './check-attributes.js';
import { dotted } from './check-condition.js';
import { checkSegments } from './check-segments.js';
import { type Problem, problem } from './problem.js';
import { settleRule } from './settle-rule.js';
import type { Surroundings } from './surroundings.js';

/** Faults of a raw flagd rule. */
export const checkTargeting = (
  { targeting, variants }: FlagDefinition,
  around: Surroundings,
): readonly Problem[] => {
  if (targeting === undefined) return [];
  if (targeting === null || typeof targeting !== 'object' || Array.isArray(targeting))
    return [
      problem(
        'targeting',
        'not-a-rule',
        'is not a flagd rule; write {} for none, or {"if": [true, "variant"]}',
      ),
    ];
  const unknown = checkSegments(targeting, 'targeting', around);
  if (unknown.length > 0) return unknown;
  return [
    ...checkRule(settleRule(targeting, around.segment, null), Object.keys(variants)).problems.map(
      ({ path, code, message }) => problem(`targeting${dotted(path)}`, code, message),
    ),
    ...checkAttributes(targeting, 'targeting', around),
  ];
};
