import type { FlagDefinition, JsonValue } from '@headgate/contracts';
import { checkBounds } from './check-bounds.js';
import { checkPrerequisites } from './check-prerequisites.js';
import { checkRules } from './check-rules.js';
import { checkServe } from './check-serve.js';
import { checkSize } from './check-size.js';
import { type Problem, problem } from './problem.js';
import { ALONE, type Surroundings } from './surroundings.js';

const kindOf = (value: JsonValue): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

/**
 * Of a variant's value. In protobuf each object in an object takes three levels, and readers in C++, Java and Python give up at 100;
 * what is signed ends at 500, where one flag would stop its whole channel.
 */
const MAX_VALUE_DEPTH = 30;

/**
 * What is wrong with a definition, place by place, each with the mend; empty when it can be published. What it refers to is
 * looked up in `around`; a flag that is to be checked on its own may leave it out.
 */
export const checkDefinition = (
  definition: FlagDefinition,
  key = 'flag',
  around: Surroundings = ALONE,
): readonly Problem[] => {
  const found = [
    ...checkVariants(definition),
    ...checkRules(definition, around),
    ...checkSchedule(definition),
    ...(definition.fallthrough ? checkServe(definition.fallthrough, definition, 'fallthrough', around) : []),
    ...(definition.schedule ?? []).flatMap(({ serve }, i) =>
      checkServe(serve, definition, `schedule.${i}.serve`, around),
    ),
    ...checkPrerequisites(definition, key, around),
    ...checkBounds(definition),
  ];
  // The compiled whole is looked at when its parts are sound: its faults would only repeat theirs.
  return found.length > 0 ? found : checkSize(definition, key, around);
};

const checkVariants = ({ variants, defaultVariant }: FlagDefinition): readonly Problem[] => {
  const found: Problem[] = [];
  const names = Object.keys(variants);
  if (names.length === 0) found.push(problem('variants', 'no-variants', 'empty; name at least one'));
  const kinds = new Set(Object.values(variants).map(kindOf));
  if (kinds.size > 1)
    found.push(
      problem(
        'variants',
        'mixed-types',
        `mixed types (${[...kinds].join(', ')}); all variants of a flag have one type`,
      ),
    );
  for (const [name, value] of Object.entries(variants))
    if (value === null || Array.isArray(value))
      found.push(
        problem(
          `variants.${name}`,
          'not-a-value',
          `${kindOf(value)} is not a flag value; use boolean, string, number or object`,
        ),
      );
    else if (!isWithin(value, MAX_VALUE_DEPTH))
      found.push(
        problem(
          `variants.${name}`,
          'too-deep',
          `nested deeper than ${MAX_VALUE_DEPTH}; nest less, or serve it as a text`,
        ),
      );
  if (typeof defaultVariant === 'string' && !Object.hasOwn(variants, defaultVariant))
    found.push(
      problem(
        'defaultVariant',
        'unknown-variant',
        `"${defaultVariant}" is not one of ${names.join(', ') || '(no variants)'}`,
      ),
    );
  return found;
};

/** Without recursion: the value may be nested as deep as a request's bytes allow. */
const isWithin = (value: JsonValue, depth: number): boolean => {
  let level: readonly unknown[] = [value];
  for (let left = depth; level.length > 0; left--) {
    const containers = level.filter((one): one is object => typeof one === 'object' && one !== null);
    if (containers.length > 0 && left === 0) return false;
    level = containers.flatMap((one) => Object.values(one));
  }
  return true;
};

const checkSchedule = ({ schedule = [] }: FlagDefinition): readonly Problem[] =>
  schedule.flatMap(({ at }, i) => {
    const before = schedule[i - 1];
    if (before === undefined || before.at < at) return [];
    const order = `${new Date(at).toISOString()} is not after ${new Date(before.at).toISOString()}`;
    return [
      problem(
        `schedule.${i}.at`,
        'schedule-order',
        `${order}; write the entries in the order of their times`,
      ),
    ];
  });
