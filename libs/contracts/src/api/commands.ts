import { z } from 'zod';
import { raisedSignalKind, signalSource } from '../events/rollout-events.js';
import { tokenRole } from '../events/token-events.js';
import { attributeName, epochMs, flagKey, slug, why } from '../identifiers.js';
import { tolerant } from '../tolerant.js';
import { flagDefinition, flagType, jsonValue, variantName } from '../wire/flag-document.js';
import { judgePolicy, metricDefinition } from '../wire/judge-policy.js';
import { segmentDefinition, segmentName } from '../wire/segment.js';

/** Bodies of the HTTP API's writes. The command id travels in the header `Idempotency-Key`. */
export const createProject = z.strictObject({ slug, name: z.string().min(1).max(200).optional(), why });
export const createChannel = z.strictObject({
  slug,
  beatLifetimeMs: z.int().min(1_000).default(86_400_000),
  /** What rules may read of a context, besides `targetingKey` and `$flagd`; absent: anything. */
  attributes: z.array(attributeName).max(100).optional(),
  why,
});
export const createFlag = z.strictObject({ key: flagKey, definition: flagDefinition, why });
export const changeFlag = z.strictObject({ definition: flagDefinition, why });
/** Which flags a listing shows; all conditions together. */
export const flagFilter = z.strictObject({
  type: flagType.optional(),
  tag: z.string().min(1).max(100).optional(),
  owner: z.string().min(1).max(200).optional(),
  status: z.enum(['active', 'killed', 'archived']).optional(),
  /** `true`: stale or potentially stale ones; `false`: the others. */
  stale: z.enum(['true', 'false']).optional(),
});
export type FlagFilter = z.infer<typeof flagFilter>;
/** An evaluation context to try a flag with. */
export const evaluateFlag = z.strictObject({
  context: z.record(z.string().min(1).max(200), jsonValue).default({}),
  /** Moment to evaluate at, for ramps and schedules; absent: now. */
  at: epochMs.optional(),
});
export const createSegment = z.strictObject({ name: segmentName, definition: segmentDefinition, why });
export const changeSegment = z.strictObject({ definition: segmentDefinition, why });
/** Says that a rollout is bad; `name` of the own installation unless another site or an enrolled vendor told you. */
export const raiseSignal = z.strictObject({
  signal: raisedSignalKind.default('objection'),
  source: signalSource.default({ kind: 'site', name: 'local' }),
  why,
});
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
