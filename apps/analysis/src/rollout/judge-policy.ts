import type { JudgePolicy as DeclaredPolicy } from '@headgate/contracts';
import { completePolicy, type JudgePolicy } from '@headgate/judge';

/** The fastest rhythm in which instances are asked to report; as in the flag's document (libs/domain). */
const MIN_REPORT_MS = 1_000;
const REPORTS_PER_BAKE = 10;
/** A report may be late or lost once or twice; an instance that misses three is gone. */
const LOST_AFTER_REPORTS = 3;

/** The whole policy for a fleet of this size: what was declared, and the judge's defaults for the rest. */
export function judgePolicyFor(declared: DeclaredPolicy, fleetSize: number): JudgePolicy {
  const { lookEveryMs: _, ...rest } = declared;
  const bakeMs = declared.bakeMs ?? completePolicy({}, fleetSize).bakeMs;
  const reportMs = Math.max(MIN_REPORT_MS, Math.round(bakeMs / REPORTS_PER_BAKE));
  return completePolicy(
    {
      ...rest,
      bakeMs,
      reportMs,
      lostAfterMs: LOST_AFTER_REPORTS * reportMs,
      // One bake to learn from and one to test it on, whatever shorter time was asked for.
      prePeriodMs: Math.max(declared.prePeriodMs ?? 0, 2 * bakeMs),
    },
    fleetSize,
  );
}

export const lookEveryMsOf = (declared: DeclaredPolicy, bakeMs: number): number =>
  declared.lookEveryMs ?? Math.max(250, Math.round(bakeMs / 4));

/** By then everybody has sent the report with which a window ends. */
export const graceMsOf = (policy: JudgePolicy): number => 1.5 * policy.reportMs;
