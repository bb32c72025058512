import { z } from 'zod';
import { epochMs, sha256Hex, slug, uuidV7, weightPpm, why } from '../identifiers.js';
import { tolerant } from '../tolerant.js';
import { jsonValue, variantName } from '../wire/flag-document.js';
import { judgePolicy, metricDefinition } from '../wire/judge-policy.js';

/** The rollout exists; telemetry before its first step is its pre-period. */
export const rolloutRequestedV1 = tolerant({
  channel: slug,
  flagId: uuidV7,
  variant: variantName,
  seed: z.string().min(1).max(100),
  policy: tolerant(judgePolicy.shape),
  metrics: z.array(metricDefinition).max(500),
  why,
});

/** Frozen from the pre-period: ladder, engines, weights, what must be proven. `plan` is libs/judge's RolloutPlan. */
export const rolloutPlannedV1 = tolerant({
  ladderPpm: z.array(weightPpm).min(1).max(20),
  /** How long a step bakes at least, in milliseconds; tells instances how often to report. */
  bakeMs: z.int().min(1_000),
  plan: jsonValue,
  planDigest: sha256Hex,
  why,
});

export const rolloutStepEnteredV1 = tolerant({
  /** Index into the ladder, from 0. */
  step: z.int().min(0),
  weightPpm,
  /** The verdict that promoted, absent for the first step. */
  verdictId: uuidV7.optional(),
  why,
});

export const VERDICT_DECISIONS = ['wait', 'extend', 'hold', 'promote', 'roll-back', 'stop'] as const;
export const verdictDecision = z.enum(VERDICT_DECISIONS);
export type VerdictDecision = z.infer<typeof verdictDecision>;

/** What a site or a vendor may raise by hand; crashes and broken limits the judge finds itself. */
export const RAISED_SIGNAL_KINDS = ['objection', 'local-rollback'] as const;
export const raisedSignalKind = z.enum(RAISED_SIGNAL_KINDS);
export const signalSource = z.strictObject({
  /** An enrolled vendor speaks for all of its sites. */
  kind: z.enum(['site', 'vendor']),
  name: slug,
});
export type SignalSource = z.infer<typeof signalSource>;

/** Somebody who runs the new path says that it is bad. Weighed where reports are too few to judge by. */
export const rolloutSignalRaisedV1 = tolerant({
  signal: raisedSignalKind,
  source: tolerant(signalSource.shape),
  /** Of the rollout when it was raised. */
  weightPpm,
  why,
});

/** A signal as a verdict weighed it. */
export const weighedSignal = tolerant({
  kind: z.enum(['crash', ...RAISED_SIGNAL_KINDS, 'limit']),
  source: tolerant(signalSource.shape),
  at: epochMs,
  detail: z.string().max(1_000),
});
export type WeighedSignal = z.infer<typeof weighedSignal>;

/** Given only when decision or code changed within the step. At most 64 KiB. */
export const rolloutVerdictGivenV1 = tolerant({
  step: z.int().min(0),
  decision: verdictDecision,
  /** Short and stable: `worse`, `limit`, `srm`, `unproven`, `unjudged:too-small`, `judged` … */
  code: z.string().min(1).max(100),
  reasons: z.array(z.string().max(1_000)).max(50),
  /** Evidence against its threshold, both on the natural scale. */
  evidence: z.number(),
  threshold: z.number(),
  metrics: z.array(jsonValue).max(50),
  instances: tolerant({ canary: z.int().min(0), baseline: z.int().min(0) }),
  /** Hours that instances spent on the new path in this rollout so far. */
  onInstanceHours: z.number().min(0),
  /** What the look was made of, so that it can be made again. */
  /** Known when the verdict was given; absent when there were none. */
  signals: z.array(weighedSignal).max(50).optional(),
  look: tolerant({ at: epochMs, telemetrySequence: z.int().min(0), analysisDigest: sha256Hex }),
  why,
});

export const rolloutCompletedV1 = tolerant({ verdictId: uuidV7, why });
export const rolloutRolledBackV1 = tolerant({
  step: z.int().min(0),
  weightPpm,
  verdictId: uuidV7,
  code: z.string().min(1).max(100),
  why,
});
/** Terminal at the weight it has: evidence against a change that must not be undone. */
export const rolloutStoppedV1 = tolerant({ verdictId: uuidV7, weightPpm, why });
export const rolloutAbortedV1 = tolerant({
  weightPpm,
  because: z.enum(['person', 'flag-killed', 'flag-archived', 'plan-refused']),
  why,
});
