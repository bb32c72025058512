import type { FlagDefinition, JsonValue, Serve, TargetingRule } from '@headgate/contracts';
import { allOf } from '../logic.js';
import { armOf, type TheirSplit } from './choose-seeds.js';

type Split = Extract<Serve, { split: unknown }>;

/** Beyond this a flag is better served by a split of its own than by a list. */
const MAX_PINNED = 2_000;

/**
 * The definition with rules before its splits that name the keys which would change, and what they had. Splits in conditions,
 * ramps and schedules stay as they are: what they give changes with time, or is not theirs to give. `done` is called for every
 * split that changes nobody any more.
 */
export const pinKeys = (
  flag: string,
  definition: FlagDefinition,
  splits: readonly TheirSplit[],
  keys: readonly string[],
  done: (split: TheirSplit, pinned: number) => void,
): FlagDefinition => {
  const pinsOf = (serve: Serve | undefined, when: JsonValue): readonly TargetingRule[] => {
    if (!serve || !('split' in serve)) return [];
    const source = splits.find((split) => split.flag === flag && isOf(serve, split));
    if (!source) return [];
    const had = keptBy(source, keys);
    const count = [...had.values()].reduce((sum, list) => sum + list.length, 0);
    if (count > MAX_PINNED) return [];
    done(source, count);
    return [...had].map(([variant, list]) => ({
      name: `keeps ${variant}`.slice(0, 100),
      when: allOf([
        ...(when === true ? [] : [when]),
        { in: [{ var: serve.bucketBy ?? 'targetingKey' }, [...list]] },
      ]),
      serve: { variant },
    }));
  };
  const rules = [
    ...(definition.rules ?? []).flatMap((rule) => [...pinsOf(rule.serve, rule.when), rule]),
    // A schedule would take the place of the fallthrough, but not of its pins.
    ...(definition.schedule ? [] : pinsOf(definition.fallthrough, true)),
  ];
  return rules.length === (definition.rules ?? []).length ? definition : { ...definition, rules };
};

const isOf = (serve: Split, { arms, seed, flag }: TheirSplit): boolean =>
  (serve.seed ?? flag) === seed &&
  serve.split.length === arms.length &&
  serve.split.every(
    ({ variant, weightPpm }, i) => arms[i]?.variant === variant && arms[i]?.weightPpm === weightPpm,
  );

const keptBy = (
  { arms, seed, theirs }: TheirSplit,
  keys: readonly string[],
): ReadonlyMap<string, readonly string[]> => {
  const had = new Map<string, string[]>();
  for (const key of keys) {
    const variant = theirs(key);
    if (variant === '' || variant === armOf(seed, arms, key)) continue;
    had.set(variant, [...(had.get(variant) ?? []), key]);
  }
  return had;
};
