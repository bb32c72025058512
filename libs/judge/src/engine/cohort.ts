import { orderHash } from '../numeric/hash.js';
import type { JudgePolicy } from '../policy.js';

/** Instances that finished a window by the same time, in the order in which they are bet on. */
export interface Cohort {
  readonly canary: Uint8Array;
  readonly value: Float64Array;
  /** A frozen prediction from the instance's own pre-period. */
  readonly prediction: Float64Array;
}

export interface Observation {
  readonly value: number;
  readonly prediction: number;
}

/** When the cohorts of a window close: one grace after the window's end, then every quarter of a bake. */
export interface CohortClock {
  readonly firstCloseAt: number;
  readonly everyMs: number;
  readonly now: number;
}

export function cohortClock(
  policy: JudgePolicy,
  startAt: number,
  windowMs: number,
  now: number,
): CohortClock {
  return { firstCloseAt: startAt + windowMs + graceMs(policy), everyMs: policy.bakeMs / 4, now };
}

/** A window is over for an instance at its first report past the end: by then everybody has sent one. */
export function graceMs(policy: JudgePolicy): number {
  return 1.5 * policy.reportMs;
}

/** The order of bets: by a second hash that knows nothing of the bucket, hence nothing of the arm. */
export function betOrder(orderSalt: string, instances: readonly string[]): Uint32Array {
  const keys = Float64Array.from(instances, (id) => orderHash(orderSalt, id));
  return Uint32Array.from(instances.keys()).sort((a, b) => keys[a]! - keys[b]! || a - b);
}

/**
 * The closed cohorts of a window, oldest first. Which cohort an instance is in depends on when it finished and never on
 * who looked when, so a look more or less changes nothing and nobody is bet on twice. Null = no observation.
 */
export function closedCohorts(
  order: Uint32Array,
  canary: Uint8Array,
  finishedAt: Float64Array,
  clock: CohortClock,
  observe: (index: number) => Observation | null,
): readonly Cohort[] {
  const newest = Math.floor((clock.now - clock.firstCloseAt) / clock.everyMs);
  if (!(newest >= 0)) return [];
  const members = new Map<number, { canary: number[]; value: number[]; prediction: number[] }>();
  for (const i of order) {
    const late = (finishedAt[i]! - clock.firstCloseAt) / clock.everyMs;
    const cohort = Math.max(0, Math.ceil(late));
    if (!(cohort <= newest)) continue;
    const seen = observe(i);
    if (seen === null) continue;
    const group = members.get(cohort) ?? { canary: [], value: [], prediction: [] };
    members.set(cohort, group);
    group.canary.push(canary[i]!);
    group.value.push(seen.value);
    group.prediction.push(seen.prediction);
  }
  return [...members]
    .sort(([a], [b]) => a - b)
    .map(([, group]) => ({
      canary: Uint8Array.from(group.canary),
      value: Float64Array.from(group.value),
      prediction: Float64Array.from(group.prediction),
    }));
}
