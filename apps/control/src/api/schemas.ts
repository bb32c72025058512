import {
  acknowledged,
  channelView,
  createdTokenView,
  evaluationView,
  flagHealthView,
  flagUsageView,
  flagView,
  jsonValue,
  lookView,
  projectView,
  rolloutView,
  segmentView,
  slug,
  tokenRole,
  tokenView,
  unknownFlagsView,
  uuidV7,
  verdictView,
  why,
} from '@headgate/contracts';
import { z } from 'zod';

/** Answers that only this API gives; the rest is in libs/contracts. */
export const listOf = <S extends z.ZodType>(item: S): z.ZodObject<{ items: z.ZodArray<S> }> =>
  z.object({ items: z.array(item) });

/** For Argo's web metric, Flagger and curl: HTTP 200 whenever there is a verdict, whatever it says. */
export const verdictAnswer = z.object({
  data: z.object({
    verdict: z.string(),
    ok: z.boolean(),
    status: z.string(),
    revision: z.string(),
    code: z.string(),
    reasons: z.array(z.string()),
  }),
});
export type VerdictAnswer = z.infer<typeof verdictAnswer>;

export const callerView = z.object({ tokenId: z.string(), role: tokenRole, project: z.string().nullable() });

export const addVendor = z.strictObject({ name: slug, why: why.optional() });
export const restoreLog = z.strictObject({ why });
export const rebuildProjection = z.strictObject({ why });

/** A report of checks or of an operation: its own fields, plus whether all was well. */
export const operationReport = z.looseObject({ ok: z.boolean() });
export type OperationReport = z.infer<typeof operationReport>;

/** What the other side needs to become a vendor of this installation. Holds a password: keep it as one. */
export const vendorBundle = z.looseObject({
  schema: z.literal('headgate.vendor-bundle.v1'),
  /** Of the upstream: the vendor's mirror is the stream `UP_<name>`. */
  name: z.string(),
  leafUrl: z.string(),
  vendor: z.string(),
  password: z.string(),
  /** Of the upstream's root: what the vendor's readers verify against. */
  pin: z.string(),
});

export const NAMED_SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  JsonValue: jsonValue,
  Acknowledged: acknowledged,
  Project: projectView,
  Channel: channelView,
  Flag: flagView,
  FlagUsage: flagUsageView,
  UnknownFlags: unknownFlagsView,
  FlagHealth: flagHealthView,
  Segment: segmentView,
  Evaluation: evaluationView,
  Rollout: rolloutView,
  Verdict: verdictView,
  Look: lookView,
  Token: tokenView,
  CreatedToken: createdTokenView,
  Caller: callerView,
  OperationReport: operationReport,
  VendorBundle: vendorBundle,
  Id: uuidV7,
};
