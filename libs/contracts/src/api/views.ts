import { z } from 'zod';
import { raisedSignalKind, signalSource, verdictDecision, weighedSignal } from '../events/rollout-events.js';
import { tokenRole } from '../events/token-events.js';
import { tolerant } from '../tolerant.js';
import { jsonValue } from '../wire/flag-document.js';

/** Answers of the HTTP API's reads. Times in milliseconds since the epoch. Loose: a newer server may say more. */
export const projectView = tolerant({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  createdAt: z.number(),
});
export const channelView = tolerant({
  id: z.string(),
  project: z.string(),
  slug: z.string(),
  beatLifetimeMs: z.number(),
  /** What rules may read of a context; null: anything. */
  attributes: z.array(z.string()).nullable().optional(),
  createdAt: z.number(),
});
export const FLAG_STAGES = ['active', 'potentially-stale', 'stale', 'archived'] as const;
/** Whether a flag is still needed, as far as can be told (Unleash's terms), each reason a sentence. */
export const flagHealthView = tolerant({
  stage: z.enum(FLAG_STAGES),
  isExpired: z.boolean(),
  reasons: z.array(z.string()),
});
export type FlagHealthView = z.infer<typeof flagHealthView>;
export const flagView = tolerant({
  id: z.string(),
  project: z.string(),
  channel: z.string(),
  key: z.string(),
  status: z.enum(['active', 'killed', 'archived']),
  definition: jsonValue,
  why: z.string(),
  killedAt: z.number().nullable(),
  rolloutId: z.string().nullable(),
  position: z.number(),
  changedAt: z.number(),
  /** Absent in rows of version 0.1. */
  createdAt: z.number().optional(),
  /** As of the answer; not part of what the log says. */
  health: flagHealthView.optional(),
});
export const segmentView = tolerant({
  id: z.string(),
  project: z.string(),
  channel: z.string(),
  name: z.string(),
  status: z.enum(['active', 'removed']),
  definition: jsonValue,
  why: z.string(),
  position: z.number(),
  createdAt: z.number(),
  changedAt: z.number(),
  /** Keys of the flags whose rules refer to it; as of the answer. */
  usedBy: z.array(z.string()).optional(),
});
/** What a flag gives a context, and how it came to that. */
export const evaluationView = tolerant({
  key: z.string(),
  /** Absent, like `value`, where the default in the code is used. */
  variant: z.string().optional(),
  value: jsonValue.optional(),
  reason: z.string(),
  errorCode: z.string().optional(),
  errorMessage: z.string().optional(),
  /** Places of the definition in the order in which they were looked at; the last one served. */
  trace: z.array(
    tolerant({
      /** Dotted, into the definition; `rollout` for the rollout under way. */
      path: z.string(),
      outcome: z.enum(['met', 'not-met', 'passed-on', 'served']),
      message: z.string(),
      /** Only where something was served; null: the default in the code. */
      variant: z.string().nullable().optional(),
    }),
  ),
});
export const verdictView = tolerant({
  id: z.string(),
  step: z.number(),
  at: z.number(),
  decision: verdictDecision,
  code: z.string(),
  reasons: z.array(z.string()),
  evidence: z.number(),
  threshold: z.number(),
  metrics: z.array(jsonValue),
  instances: tolerant({ canary: z.number(), baseline: z.number() }),
  onInstanceHours: z.number(),
  signals: z.array(weighedSignal).optional(),
});
/** Raised by hand; what the judge found itself stands in its verdicts. */
export const signalView = tolerant({
  id: z.string(),
  signal: raisedSignalKind,
  source: tolerant(signalSource.shape),
  at: z.number(),
  weightPpm: z.number(),
  why: z.string(),
});
export const ROLLOUT_STATUSES = [
  'pre-period',
  'planned',
  'baking',
  'completed',
  'rolled-back',
  'stopped',
  'aborted',
] as const;
export const rolloutView = tolerant({
  id: z.string(),
  project: z.string(),
  channel: z.string(),
  flagId: z.string(),
  flagKey: z.string(),
  variant: z.string(),
  status: z.enum(ROLLOUT_STATUSES),
  step: z.number().nullable(),
  weightPpm: z.number(),
  ladderPpm: z.array(z.number()).nullable(),
  policy: jsonValue,
  metrics: z.array(jsonValue),
  plan: jsonValue.nullable(),
  requestedAt: z.number(),
  endedAt: z.number().nullable(),
  endReason: z.string().nullable(),
  steps: z.array(
    tolerant({
      step: z.number(),
      weightPpm: z.number(),
      enteredAt: z.number(),
      verdictId: z.string().nullable(),
    }),
  ),
  verdicts: z.array(verdictView),
  /** Absent in rows of version 0.1. */
  signals: z.array(signalView).optional(),
  why: z.string(),
});
export const tokenView = tolerant({
  id: z.string(),
  name: z.string(),
  role: tokenRole,
  project: z.string().nullable(),
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
  revokedAt: z.number().nullable(),
});
export const createdTokenView = tokenView.extend({ secret: z.string() });

export type ProjectView = z.infer<typeof projectView>;
export type ChannelView = z.infer<typeof channelView>;
export type FlagView = z.infer<typeof flagView>;
export type VerdictView = z.infer<typeof verdictView>;
export type SignalView = z.infer<typeof signalView>;
export type SegmentView = z.infer<typeof segmentView>;
export type EvaluationView = z.infer<typeof evaluationView>;
export type RolloutView = z.infer<typeof rolloutView>;
export type TokenView = z.infer<typeof tokenView>;

/** One look of the judge as people watch it; not stored in the log. */
export const lookView = tolerant({
  rolloutId: z.string(),
  step: z.number(),
  weightPpm: z.number(),
  at: z.number(),
  decision: verdictDecision,
  code: z.string(),
  reasons: z.array(z.string()),
  evidence: z.number(),
  threshold: z.number(),
  instances: tolerant({ canary: z.number(), baseline: z.number() }),
  onInstanceHours: z.number(),
  signals: z.array(weighedSignal).optional(),
});
export type LookView = z.infer<typeof lookView>;
