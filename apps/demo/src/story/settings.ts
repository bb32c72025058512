import type { JudgePolicy, MetricDefinition } from '@headgate/contracts';

export const FLEET = {
  upstreamWorkers: 4,
  vendorWorkers: 1,
  instancesPerWorker: 100,
  perInstancePerSecond: 4,
} as const;

export const PROJECT = 'shop';
export const CHANNEL = 'stable';

const BAKE_MS = 12_000;

/**
 * The only departure from the default policy: a bake of an hour is 12 seconds here, and everything that is counted in bakes
 * shrinks with it.
 */
export const TIMES = {
  prePeriodMs: 2 * BAKE_MS,
  bakeMs: BAKE_MS,
  warmUpMs: 2_400,
  maxBakeMs: 2 * BAKE_MS,
  holdMaxMs: 2 * BAKE_MS,
  sparseTimeMs: 3 * BAKE_MS,
  firstSparseTimeMs: 3 * BAKE_MS,
  lookEveryMs: BAKE_MS / 4,
} satisfies Partial<JudgePolicy>;

/** How often an instance reports while no rollout asks for more; an hour by default. */
export const REPORT_EVERY_MS = 4_000;

/** What the shop measures anyway. Nothing here says which code path is meant to be bad. */
export const METRICS: readonly MetricDefinition[] = [
  {
    kind: 'ratio',
    name: 'error-rate',
    numerator: 'errors',
    denominator: 'requests',
    worse: 'up',
    margin: 0,
    tier: 'critical',
  },
  {
    kind: 'ratio',
    name: 'slow-orders',
    numerator: 'slow_orders',
    denominator: 'requests',
    worse: 'up',
    margin: 0.25,
    tier: 'other',
  },
  { kind: 'gauge', name: 'order-value', gauge: 'order_cents', worse: 'down', margin: 0.1, tier: 'other' },
];

/** No act may run longer than this; a rollout that has not ended by then is a failed act. */
export const ACT_TIMEOUT_MS = 180_000;
