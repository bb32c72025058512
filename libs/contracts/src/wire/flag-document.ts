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

/** What kind of thing the flag is, for people and for the life cycle: a release ends, an operational switch stays. */
export const flagType = z.enum(['release', 'kill-switch', 'experiment', 'operational', 'permission']);
export type FlagType = z.infer<typeof flagType>;

/** Seed of a split's buckets. Flags that share one bucket every targeting key alike. */
export const seed = z.string().min(1).max(100);

/** flagd's flat metadata; clients get it with each evaluation. */
export const flagMetadata = z.record(
  z.string().min(1).max(100),
  z.union([z.string().max(1_000), z.number(), z.boolean()]),
);

const bucketing = {
  /** Default: the flag's `seed`, else its key. */
  seed: seed.optional(),
  /**
   * Attribute of the context that is hashed; `targetingKey` when absent. A context without it (or with "", 0, false) falls
   * through: to the next rule, or from a schedule or the fallthrough to the default variant.
   */
  bucketBy: z.string().min(1).max(200).optional(),
};

const atWeight = z.strictObject({ at: epochMs, weightPpm });

/** What a rule gives: one variant, a split over variants, or a share that grows or shrinks evenly over time. */
export const serve = z.union([
  z.strictObject({ variant: variantName }),
  z.strictObject({
    /** The weights sum to 1,000,000. The first arm keeps its members while its weight rises. */
    split: z
      .array(z.strictObject({ variant: variantName, weightPpm }))
      .min(1)
      .max(100),
    ...bucketing,
  }),
  z.strictObject({
    ramp: z.strictObject({
      variant: variantName,
      /** Of who is not in the ramp yet; absent: the flag's default variant. */
      rest: variantName.optional(),
      from: atWeight,
      to: atWeight,
    }),
    ...bucketing,
  }),
]);
export type Serve = z.infer<typeof serve>;

/** Who meets `when` (a flagd JsonLogic condition; `{"$ref": "<segment>"}` stands for a segment) is served `serve`. */
export const targetingRule = z.strictObject({
  name: z.string().min(1).max(100).optional(),
  when: jsonValue,
  serve,
});
export type TargetingRule = z.infer<typeof targetingRule>;

/** Another flag of the channel that must serve one of `variants` first; who does not meet it gets `otherwise`. */
export const prerequisite = z.strictObject({
  flag: flagKey,
  variants: z.array(variantName).min(1).max(100),
  /** Absent: the default in the code, whatever the default variant is by then. */
  otherwise: variantName.optional(),
});
export type Prerequisite = z.infer<typeof prerequisite>;

/** What a vendor's or site's own value must keep to; enforced where overlays are merged. */
export const flagBounds = tolerant({
  min: z.number().optional(),
  max: z.number().optional(),
  maxWeightPpm: weightPpm.optional(),
  variants: z.array(variantName).min(1).max(100).optional(),
  /** Regular expression (ECMAScript, no flags) for the values of a string flag. */
  pattern: z.string().min(1).max(500).optional(),
});

/**
 * What upstream may say about a flag when it creates or changes it; variants, state and `targeting` are flagd's. Evaluated in
 * this order: prerequisites, rules (or `targeting`), the rollout under way, else the newest due entry of `schedule`, else
 * `fallthrough`, else the default variant.
 */
export const flagDefinition = z.strictObject({
  state: z.enum(['ENABLED', 'DISABLED']),
  variants,
  /** Null or absent: the default in the code. */
  defaultVariant: variantName.nullable().optional(),
  /** A flagd JsonLogic rule, which may use `$ref` like `rules`; in place of `rules`. */
  targeting: jsonValue.optional(),
  rules: z.array(targetingRule).max(100).optional(),
  fallthrough: serve.optional(),
  /** From `at` on, `serve` takes the place of `fallthrough`; every client switches by its own clock, offline too. */
  schedule: z
    .array(z.strictObject({ at: epochMs, serve }))
    .min(1)
    .max(50)
    .optional(),
  prerequisites: z.array(prerequisite).min(1).max(20).optional(),
  seed: seed.optional(),
  overridable: overridable.default('none'),
  bounds: flagBounds.optional(),
  type: flagType.optional(),
  description: z.string().min(1).max(2_000).optional(),
  tags: z.array(z.string().min(1).max(100)).max(50).optional(),
  metadata: flagMetadata.optional(),
  /** The day by which the flag should be gone. It goes on working; the life cycle shows it as past its expiry. */
  expires: epochMs.optional(),
  owner: z.string().min(1).max(200).optional(),
});
export type FlagDefinition = z.infer<typeof flagDefinition>;

/** A rollout as a reader sees it: `variant` for the first `weightPpm` of buckets of `seed + targetingKey`. */
export const rolloutSplit = tolerant({
  id: uuidV7,
  seed,
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
  defaultVariant: variantName.nullable().optional(),
  /** Everything that decides, compiled: prerequisites, rules, segments, rollout, schedule. Any flagd provider evaluates it as we do. */
  targeting: jsonValue.optional(),
  rollout: rolloutSplit.optional(),
  overridable,
  bounds: flagBounds.optional(),
  type: flagType.optional(),
  tags: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  killed: tolerant({ at: epochMs, why }).optional(),
  expires: epochMs.optional(),
  owner: z.string().optional(),
  why,
  epoch: z.int().min(0),
  position: z.int().min(1),
});
export type FlagDocument = z.infer<typeof flagDocument>;
