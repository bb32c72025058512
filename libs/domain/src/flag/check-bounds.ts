import type { FlagDefinition } from '@headgate/contracts';
import { checkPattern } from '../pattern/check-pattern.js';
import { type Problem, problem } from './problem.js';

/** Faults of what overlays must keep to. */
export const checkBounds = ({ bounds, variants }: FlagDefinition): readonly Problem[] => {
  if (!bounds) return [];
  const found: Problem[] = [];
  const { min, max, pattern } = bounds;
  const kinds = new Set(Object.values(variants).map((value) => typeof value));
  if (min !== undefined && max !== undefined && min > max)
    found.push(problem('bounds.min', 'bounds-empty', `${min} is above max, ${max}; no value keeps to both`));
  if ((min !== undefined || max !== undefined) && !kinds.has('number'))
    found.push(problem('bounds', 'bounds-kind', 'min and max are for flags whose variants are numbers'));
  if (pattern !== undefined && !kinds.has('string'))
    found.push(problem('bounds.pattern', 'bounds-kind', 'is for flags whose variants are strings'));
  for (const name of bounds.variants ?? [])
    if (!Object.hasOwn(variants, name))
      found.push(
        problem(
          'bounds.variants',
          'unknown-variant',
          `"${name}" is not one of ${Object.keys(variants).join(', ')}`,
        ),
      );
  const fault = pattern === undefined ? null : checkPattern(pattern);
  if (fault !== null) found.push(problem('bounds.pattern', 'pattern-unsafe', fault));
  return found;
};
