import type { Serve } from '@headgate/contracts';
import { type Arm, inPpm } from '../bucketing/choose-seeds.js';
import { goFeatureFlagPlace } from '../bucketing/theirs.js';
import type { Path } from '../flag-file.js';
import type { Gathering } from '../source.js';
import type { GoffRule } from './goff-source.js';

/** Which flag and rule a serve is made for. */
export interface RuleAt {
  readonly flag: string;
  readonly bucketBy: string;
  readonly path: Path;
}

/** GO Feature Flag counts in thousandths of a percent. */
const PER_PERCENT = 1_000;
const WHOLE = 100 * PER_PERCENT;

/** What a rule gives: its ramp, else its percentages, else its variation; undefined when it says none of them. */
export const serveOf = (rule: GoffRule, at: RuleAt, gathering: Gathering): Serve | undefined => {
  const { progressiveRollout, percentage, variation } = rule;
  if (progressiveRollout) return rampOf(progressiveRollout, at, gathering);
  if (percentage && Object.keys(percentage).length > 0) return splitOf(percentage, at, gathering);
  if (variation !== undefined) return { variant: variation };
  gathering.drop(at.flag, at.path, 'a rule that names no variation', 'Give it a variation.');
  return undefined;
};

const splitOf = (
  percentage: Readonly<Record<string, number>>,
  { flag, bucketBy, path }: RuleAt,
  { drop, seed, split }: Gathering,
): Serve | undefined => {
  // Theirs stand in reverse alphabetical order; keeping it keeps who joins when a share is raised.
  const names = Object.keys(percentage).sort().reverse();
  const shares = names.map((name) => percentage[name] ?? 0);
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (shares.some((share) => share < 0) || !(total > 0)) {
    drop(flag, path, 'the percentages sum to nothing', 'Give one variation a percentage above 0.');
    return undefined;
  }
  const ppm = inPpm(shares);
  const arms: readonly Arm[] = names.map((variant, i) => ({ variant, weightPpm: ppm[i] ?? 0 }));
  const whole = arms.find(({ weightPpm }) => weightPpm === 1_000_000);
  if (whole) return { variant: whole.variant };
  const chosen = seed(flag, flag);
  split(
    {
      flag,
      group: flag,
      seed: chosen,
      arms,
      theirs: (key) => {
        const place = goFeatureFlagPlace(flag, key, Math.floor(total * PER_PERCENT));
        let sum = 0;
        for (const [i, name] of names.entries()) {
          sum += (shares[i] ?? 0) * PER_PERCENT;
          if (place < Math.floor(sum)) return name;
        }
        return '';
      },
    },
    path,
  );
  return { split: [...arms], ...bucketing(flag, chosen, bucketBy) };
};

type Ramp = NonNullable<GoffRule['progressiveRollout']>;

const rampOf = (
  { initial, end }: Ramp,
  { flag, bucketBy, path }: RuleAt,
  { drop, seed, split }: Gathering,
): Serve | undefined => {
  const [from, to] = [initial?.date, end?.date];
  if (from === undefined || to === undefined || !initial?.variation || !end?.variation || to <= from) {
    drop(
      flag,
      [...path, 'progressiveRollout'],
      'a progressive rollout that is not whole: it serves nobody there',
      'Give it two variations, and an end date after its initial date.',
    );
    return undefined;
  }
  const { percentage: start = 0 } = initial;
  const goal =
    end.percentage === undefined || end.percentage <= 0 || end.percentage > 100 ? 100 : end.percentage;
  const clamped = Math.min(100, Math.max(0, start));
  if (clamped > 0)
    drop(
      flag,
      [...path, 'progressiveRollout'],
      `nobody got "${end.variation}" before ${new Date(from).toISOString()} there; here ${clamped} % have it already`,
      'Nothing to do once that moment has passed; else put the ramp into a schedule entry of that moment.',
    );
  const ppm = (percent: number): number => Math.round(percent * 10_000);
  const chosen = seed(flag, flag);
  // Compared half way: at both ends there may be nobody to change.
  const half = (clamped + goal) / 2;
  split(
    {
      flag,
      group: flag,
      seed: chosen,
      arms: [
        { variant: end.variation, weightPpm: ppm(half) },
        { variant: initial.variation, weightPpm: 1_000_000 - ppm(half) },
      ],
      theirs: (key) =>
        (goFeatureFlagPlace(flag, key, WHOLE) < Math.floor(half * PER_PERCENT)
          ? end.variation
          : initial.variation) ?? '',
    },
    path,
  );
  return {
    ramp: {
      variant: end.variation,
      rest: initial.variation,
      from: { at: from, weightPpm: ppm(clamped) },
      to: { at: to, weightPpm: ppm(goal) },
    },
    ...bucketing(flag, chosen, bucketBy),
  };
};

const bucketing = (flag: string, seed: string, bucketBy: string): { seed?: string; bucketBy?: string } => ({
  ...(seed === flag ? {} : { seed }),
  ...(bucketBy === 'targetingKey' ? {} : { bucketBy }),
});
