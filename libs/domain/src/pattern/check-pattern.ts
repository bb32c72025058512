import { overlap } from './character-set.js';
import { PatternRefused, parsePattern } from './parse-pattern.js';
import { type Steps, stepsOf } from './steps.js';

/** Ways in which text may be read differently for a while, all together. */
const MAX_WAYS = 100;
/** Pairs and triples of places that are looked at. */
const MAX_WORK = 400_000;

/**
 * What is wrong with a regular expression (ECMAScript, no flags, to be matched against a whole value); null when a
 * backtracking engine needs time that is linear in the value’s length. Refused are backreferences and lookaround, and what
 * lets a text be read in ever more ways: exponentially many (`(a+)+`, `(a|a)*`) or polynomially many (`.*.*`), by the criteria
 * of Weber and Seidl, “On the degree of ambiguity of finite automata” (1991), on Glushkov’s automaton. Some harmless patterns
 * are refused too.
 */
export const checkPattern = (pattern: string): string | null => {
  try {
    new RegExp(pattern);
  } catch (error) {
    return `is not a regular expression: ${(error as Error).message.replace(/^Invalid regular expression: /, '')}`;
  }
  try {
    refuseManyWays(stepsOf(parsePattern(pattern)));
    return null;
  } catch (error) {
    if (error instanceof PatternRefused) return error.message;
    throw error;
  }
};

const refuseManyWays = (steps: Steps): void => {
  const budget = { left: MAX_WORK };
  const loops = steps.sets.map((_, place) => place).filter((place) => reach(steps, place).has(place));
  for (const place of loops)
    if (returnsInTwoWays(steps, place, budget))
      throw new PatternRefused(
        'repeats a choice whose branches can match the same text, which can take for ever; make the branches differ in their first character',
      );
  for (const from of loops)
    for (const to of loops)
      if (from !== to && movesOnAnywhere(steps, from, to, budget))
        throw new PatternRefused(
          'has two repetitions in a row that can match the same text; put something between them that the first cannot match',
        );
  let ways = waysOn(steps, steps.first);
  for (const next of steps.after) ways *= waysOn(steps, [...next]);
  if (ways > MAX_WAYS)
    throw new PatternRefused(
      'can match the same text in too many ways; make alternatives differ in their first character',
    );
};

const waysOn = ({ sets }: Steps, places: readonly number[]): number =>
  Math.max(
    1,
    places.filter((a) => places.some((b) => a !== b && overlap(sets[a] ?? [], sets[b] ?? []))).length,
  );

const reach = ({ after }: Steps, start: number): ReadonlySet<number> => {
  const found = new Set<number>();
  const open = [start];
  for (let place = open.pop(); place !== undefined; place = open.pop())
    for (const next of after[place] ?? [])
      if (!found.has(next)) {
        found.add(next);
        open.push(next);
      }
  return found;
};

interface Budget {
  left: number;
}

/** All tuples of places that the same text leads to from `start`, as names, with those that lead to each. */
const together = (
  { sets, after }: Steps,
  start: readonly number[],
  budget: Budget,
): ReadonlyMap<string, ReadonlySet<string>> => {
  const before = new Map<string, Set<string>>();
  const open: (readonly number[])[] = [start];
  const seen = new Set([start.join()]);
  for (let tuple = open.pop(); tuple !== undefined; tuple = open.pop())
    for (const next of successors(tuple, sets, after)) {
      budget.left -= 1;
      if (budget.left < 0) throw new PatternRefused('is too complicated to be checked; make it simpler');
      const name = next.join();
      const comesFrom = before.get(name) ?? new Set();
      before.set(name, comesFrom.add(tuple.join()));
      if (seen.has(name)) continue;
      seen.add(name);
      open.push(next);
    }
  return before;
};

const successors = (
  tuple: readonly number[],
  sets: Steps['sets'],
  after: Steps['after'],
): readonly (readonly number[])[] =>
  tuple.reduce<readonly (readonly number[])[]>(
    (made, place) =>
      made.flatMap((begun) =>
        [...(after[place] ?? [])]
          .filter((next) => begun.every((other) => overlap(sets[other] ?? [], sets[next] ?? [])))
          .map((next) => [...begun, next]),
      ),
    [[]],
  );

/** Two different ways round the same loop on one text: exponentially many ways. */
const returnsInTwoWays = (steps: Steps, place: number, budget: Budget): boolean => {
  const before = together(steps, [place, place], budget);
  const home = `${place},${place}`;
  const leadsHome = new Set<string>();
  const open = [home];
  for (let name = open.pop(); name !== undefined; name = open.pop())
    for (const earlier of before.get(name) ?? [])
      if (!leadsHome.has(earlier)) {
        leadsHome.add(earlier);
        open.push(earlier);
      }
  return [...leadsHome].some((name) => {
    const [a, b] = name.split(',');
    return a !== b && before.has(name);
  });
};

/** One text that keeps `from` where it is, keeps `to` where it is, and leads from one to the other: polynomially many ways. */
const movesOnAnywhere = (steps: Steps, from: number, to: number, budget: Budget): boolean =>
  reach(steps, from).has(to) && together(steps, [from, from, to], budget).has(`${from},${to},${to}`);
