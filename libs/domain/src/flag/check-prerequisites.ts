import type { FlagDefinition } from '@headgate/contracts';
import { type Problem, problem } from './problem.js';
import type { Surroundings } from './surroundings.js';
import { prerequisitesOf } from './uses.js';

/** Each step of a chain of prerequisites nests the compiled rule; evaluators stop at a depth of 100. */
const MAX_CHAIN = 10;

/** Faults of prerequisites: flags and variants that are not there, circles, chains that are too long. */
export const checkPrerequisites = (
  definition: FlagDefinition,
  key: string,
  around: Surroundings,
): readonly Problem[] => {
  const found: Problem[] = [];
  const seen = new Set<string>();
  for (const [i, { flag, variants, otherwise }] of (definition.prerequisites ?? []).entries()) {
    const path = `prerequisites.${i}`;
    if (seen.has(flag))
      found.push(problem(`${path}.flag`, 'prerequisite-twice', `"${flag}" stands there twice; keep one`));
    seen.add(flag);
    if (otherwise !== undefined && !Object.hasOwn(definition.variants, otherwise))
      found.push(
        problem(
          `${path}.otherwise`,
          'unknown-variant',
          `"${otherwise}" is not one of ${Object.keys(definition.variants).join(', ')}`,
        ),
      );
    found.push(...checkWanted(flag, variants, path, around));
  }
  if (found.length > 0) return found;
  const { circle, longest } = follow(definition, key, around);
  if (circle)
    return [problem('prerequisites', 'prerequisite-circle', `${circle.join(' → ')} goes in a circle`)];
  if (longest > MAX_CHAIN)
    return [
      problem(
        'prerequisites',
        'prerequisite-chain',
        `a chain of ${longest} flags hangs on this one; at most ${MAX_CHAIN}: refer to the first of them directly`,
      ),
    ];
  return [];
};

const checkWanted = (
  key: string,
  variants: readonly string[],
  path: string,
  around: Surroundings,
): readonly Problem[] => {
  const flag = around.flag(key);
  if (flag === undefined)
    return [
      problem(
        `${path}.flag`,
        'unknown-flag',
        `the channel has no flag "${key}"; create it first, or mend the key`,
      ),
    ];
  if (flag.status === 'archived')
    return [problem(`${path}.flag`, 'unknown-flag', `flag "${key}" was archived; it would never be met`)];
  const own = flag.definition.variants;
  return variants
    .filter((name) => !Object.hasOwn(own, name))
    .map((name) =>
      problem(
        `${path}.variants`,
        'unknown-variant',
        `flag "${key}" has no variant "${name}", only ${Object.keys(own).join(', ')}`,
      ),
    );
};

/** Walks the prerequisites of a flag whose definition may be a new one. */
const follow = (
  definition: FlagDefinition,
  key: string,
  around: Surroundings,
): { readonly circle: readonly string[] | null; readonly longest: number } => {
  const lengths = new Map<string, number>();
  let circle: readonly string[] | null = null;
  const lengthOf = (of: string, trail: readonly string[]): number => {
    if (trail.includes(of)) {
      circle ??= [...trail.slice(trail.indexOf(of)), of];
      return 0;
    }
    const known = lengths.get(of);
    if (known !== undefined) return known;
    const flag = of === key ? { definition, status: 'active' } : around.flag(of);
    const next = flag === undefined || flag.status === 'archived' ? [] : prerequisitesOf(flag.definition);
    const length = Math.max(0, ...next.map((one) => 1 + lengthOf(one, [...trail, of])));
    lengths.set(of, length);
    return length;
  };
  const longest = lengthOf(key, []);
  return { circle, longest };
};
