import { z } from 'zod';
import { weightPpm } from '../identifiers.js';

const metricName = z
  .string()
  .regex(/^[a-z][a-z0-9_.-]{0,99}$/, 'must be 1 to 100 characters of a-z 0-9 . _ -, starting with a letter');

const metricCommon = {
  name: metricName,
  /** Critical metrics share half of the weight of all metrics and can block a promotion. */
  tier: z.enum(['critical', 'other']),
  /** Signed relative margin in the direction that is worse: 0.05 allows 5 % decay, 0 none, -0.01 demands 1 % better. */
  margin: z.number().min(-0.9).max(10),
};

/** Closed: a new kind has to be added here, in libs/judge and in the SDK, or the build stops. */
export const metricDefinition = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ratio'),
    ...metricCommon,
    numerator: metricName,
    denominator: metricName,
    worse: z.enum(['up', 'down']),
    /** Allowed rise of the mean over instances, absolute (0.002 = 0.2 points), proven by engine B. */
    absoluteMargin: z.number().gt(0).lt(1).optional(),
  }),
  z.strictObject({
    kind: z.literal('gauge'),
    ...metricCommon,
    gauge: metricName,
    worse: z.enum(['up', 'down']),
  }),
  z.strictObject({ kind: z.literal('rare-event'), ...metricCommon, event: metricName }),
]);
export type MetricDefinition = z.infer<typeof metricDefinition>;

export const hardLimit = z.strictObject({ metric: metricName, max: z.number() });

/** How a rollout is judged. Everything has a default (`libs/judge` `defaultPolicy`); times in milliseconds. */
export const judgePolicy = z.strictObject({
  mode: z.enum(['active', 'advisory']).default('active'),
  alpha: z.number().gt(0).lt(0.5).default(0.05),
  beta: z.number().gt(0).lt(0.5).default(0.02),
  rollbackRule: z.enum(['average', 'strict']).default('average'),
  /** Absent: by the fleet's size (24 h below 50 instances, 8 h below 200, else 1 h). */
  bakeMs: z.int().min(1_000).optional(),
  warmUpMs: z.int().min(0).optional(),
  maxBakeMs: z.int().min(1_000).optional(),
  holdMaxMs: z.int().min(0).optional(),
  sparseTimeMs: z.int().min(1_000).optional(),
  firstSparseTimeMs: z.int().min(1_000).optional(),
  prePeriodMs: z.int().min(1_000).optional(),
  /** How often the judge looks; a quarter of the bake when absent. */
  lookEveryMs: z.int().min(250).optional(),
  /** Own ladder in place of the plan's. */
  ladderPpm: z.array(weightPpm).min(1).max(20).optional(),
  onUnproven: z.enum(['roll-back', 'promote']).default('roll-back'),
  /** How likely one failure becomes known while a step without reports lasts; 0.1 when absent. Said, never judged by. */
  signalProbability: z.number().gt(0).max(1).optional(),
  irreversible: z.boolean().default(false),
  hardLimits: z.array(hardLimit).max(50).default([]),
});
export type JudgePolicy = z.infer<typeof judgePolicy>;
