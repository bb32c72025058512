import type { FlagDefinition, JsonValue, TargetingRule } from '@headgate/contracts';
import { checkAttributes } from './check-attributes.js';
import { checkCondition, constantOf } from './check-condition.js';
import { checkSegments } from './check-segments.js';
import { checkServe } from './check-serve.js';
import { checkTargeting } from './check-targeting.js';
import { type Problem, problem } from './problem.js';
import { settleRule } from './settle-rule.js';
import type { Surroundings } from './surroundings.js';

/** Faults of `rules` or `targeting`: what cannot be read, what nobody can reach, what is not there. */
export const checkRules = (definition: FlagDefinition, around: Surroundings): readonly Problem[] => {
  const { rules = [], targeting } = definition;
  const found: Problem[] = [];
  if (targeting !== undefined && rules.length > 0)
    found.push(
      problem(
        'targeting',
        'rules-and-targeting',
        'stands beside rules; keep one of the two, rules read better',
      ),
    );
  if (targeting !== undefined) found.push(...checkTargeting(definition, around));
  for (const [i, { when, serve }] of rules.entries())
    found.push(
      ...checkWhen(when, `rules.${i}.when`, around),
      ...checkServe(serve, definition, `rules.${i}.serve`, around),
    );
  return [...found, ...checkReach(rules, definition, around)];
};

const checkWhen = (when: JsonValue, path: string, around: Surroundings): readonly Problem[] => {
  const unknown = checkSegments(when, path, around);
  if (unknown.length > 0) return unknown;
  return [
    ...checkCondition(settleRule(when, around.segment, null), path),
    ...checkAttributes(when, path, around),
  ];
};

/** A rule that is always met, or repeats an earlier one, takes everybody from those behind it. */
const checkReach = (
  rules: readonly TargetingRule[],
  { fallthrough, schedule }: FlagDefinition,
  around: Surroundings,
): readonly Problem[] => {
  const found: Problem[] = [];
  const seen = new Map<string, number>();
  for (const [i, { when, serve }] of rules.entries()) {
    const condition = settleRule(when, around.segment, null);
    const path = `rules.${i}`;
    const constant = constantOf(condition);
    if (constant === false)
      found.push(
        problem(`${path}.when`, 'never-met', 'is never met; take the rule out, or mend its condition'),
      );
    const text = sortedText(condition);
    const earlier = seen.get(text);
    if (earlier !== undefined)
      found.push(
        problem(
          `${path}.when`,
          'unreachable',
          `repeats rules.${earlier}.when, which takes everybody it is met by`,
        ),
      );
    // Who has no bucket falls through a split, so it takes not everybody.
    if (!('variant' in serve)) continue;
    seen.set(text, seen.get(text) ?? i);
    if (constant !== true) continue;
    const behind = rules.length - 1 - i;
    const hidden = [
      ...(behind > 0 ? [behind === 1 ? 'the rule behind it' : `the ${behind} rules behind it`] : []),
      ...(schedule ? ['schedule'] : []),
      ...(fallthrough ? ['fallthrough'] : []),
    ];
    if (hidden.length > 0)
      found.push(
        problem(
          `${path}.when`,
          'unreachable',
          `is always met, so that ${hidden.join(' and ')} can never be reached; move it to the end, or take them out`,
        ),
      );
    break;
  }
  return found;
};

/** Equal for conditions that differ in the order of their names only. */
const sortedText = (rule: JsonValue): string =>
  JSON.stringify(rule, (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
