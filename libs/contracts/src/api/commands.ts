import { z } from 'zod';
import { tokenRole } from '../events/token-events.js';
import { epochMs, flagKey, slug, why } from '../identifiers.js';
import { tolerant } from '../tolerant.js';
import { flagDefinition, variantName } from '../wire/flag-document.js';
import { judgePolicy, metricDefinition } from '../wire/judge-policy.js';

/** Bodies of the HTTP API's writes. The command id travels in the header `Idempotency-Key`. */
export const createProject = z.strictObject({ slug, name: z.string().min(1).max(200).optional(), why });
export const createChannel = z.strictObject({
  slug,
  beatLifetimeMs: z.int().min(1_000).default(86_400_000),
  why,
});
export const createFlag = z.strictObject({ key: flagKey, definition: flagDefinition, why });
export const changeFlag = z.strictObject({ definition: flagDefinition, why });
export const becauseOf = z.strictObject({ why });
export const requestRollout = z.strictObject({
  channel: slug,
  flag: flagKey,
  variant: variantName,
  policy: judgePolicy.partial().default({}),
  metrics: z.array(metricDefinition).max(500).default([]),
  why,
});
export const previewPlan = z.strictObject({
  channel: slug,
  flag: flagKey,
  policy: judgePolicy.partial().default({}),
  metrics: z.array(metricDefinition).max(500).default([]),
});
export const createToken = z.strictObject({
  name: z.string().min(1).max(100),
  role: tokenRole,
  project: slug.optional(),
  expiresAt: epochMs.optional(),
  why,
});

/** Answer of every write: where the fact stands in the log. */
export const acknowledged = tolerant({
  id: z.string(),
  project: z.string(),
  epoch: z.int(),
  position: z.int(),
  hash: z.string(),
  /** True when this command id had been answered before. */
  repeated: z.boolean(),
});
export type Acknowledged = z.infer<typeof acknowledged>;
