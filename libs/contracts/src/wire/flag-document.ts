import { z } from 'zod';
import { epochMs, flagKey, slug, uuidV7, weightPpm, why } from '../identifiers.js';
import { tolerant } from '../tolerant.js';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export const jsonValue: z.ZodType<JsonValue> = z.json() as z.ZodType<JsonValue>;

export const variantName = z.string().min(1).max(100);
export const variants = z.record(variantName, jsonValue);

export const overridable = z.enum(['none', 'vendor', 'site']);

/** What upstream may say about a flag when it creates or changes it; the flagd part is a flagd flag definition. */
export const flagDefinition = z.strictObject({
  state: z.enum(['ENABLED', 'DISABLED']),
  variants,
  defaultVariant: variantName,
  /** A flagd JsonLogic rule; absent when every context gets the default variant. */
  targeting: jsonValue.optional(),
  overridable: overridable.default('none'),
  expires: epochMs.optional(),
  owner: z.string().min(1).max(200).optional(),
});
export type FlagDefinition = z.infer<typeof flagDefinition>;

/** A rollout as a reader sees it: `variant` for the first `weightPpm` of buckets of `seed + targetingKey`. */
export const rolloutSplit = tolerant({
  id: uuidV7,
  seed: z.string().min(1).max(100),
  variant: variantName,
  weightPpm,
  /** How often instances taking part should report while the step bakes, in milliseconds. */
  reportEveryMs: z.int().min(1_000).optional(),
});
export type RolloutSplit = z.infer<typeof rolloutSplit>;

/**
 * One flag of one channel, signed through its channel's head. A flagd flag definition plus our metadata. Readers ignore
 * fields they do not know.
 */
export const flagDocument = tolerant({
  schema: z.literal('headgate.flag.v1'),
  project: slug,
  channel: slug,
  flagId: uuidV7,
  key: flagKey,
  state: z.enum(['ENABLED', 'DISABLED']),
  variants,
  defaultVariant: variantName,
  /** Already includes the rollout's `fractional`, so that any flagd provider evaluates it as we do. */
  targeting: jsonValue.optional(),
  rollout: rolloutSplit.optional(),
  overridable,
  killed: tolerant({ at: epochMs, why }).optional(),
  expires: epochMs.optional(),
  owner: z.string().optional(),
  why,
  epoch: z.int().min(0),
  position: z.int().min(1),
});
export type FlagDocument = z.infer<typeof flagDocument>;
