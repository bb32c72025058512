import { z } from 'zod';
import { commandId, epochMs, projectName, sha256Hex, subjectToken, uuidV7 } from '../identifiers.js';
import { tolerant } from '../tolerant.js';

export const AGGREGATE_KINDS = ['project', 'channel', 'flag', 'segment', 'rollout', 'token'] as const;
export const aggregateKind = z.enum(AGGREGATE_KINDS);
export type AggregateKind = z.infer<typeof aggregateKind>;

/** Where an event stands in its project's chain. Order is (epoch, position), never `at`. */
export const logPosition = z.strictObject({
  epoch: z.int().min(0),
  /** Counts per project from 1 and goes on counting across epochs. */
  position: z.int().min(1),
  hash: sha256Hex,
});
export type LogPosition = z.infer<typeof logPosition>;

/** Everything of an event but its data; `data` is parsed by its type's own schema. Unknown fields are kept and ignored. */
export const eventEnvelope = tolerant({
  id: uuidV7,
  commandId,
  /** SHA-256 of the canonical command, so that one id cannot stand for two commands. */
  commandDigest: sha256Hex,
  type: z.string().regex(/^[a-z]+(-[a-z]+)*\.v[1-9][0-9]*$/),
  project: projectName,
  kind: aggregateKind,
  aggregateId: subjectToken,
  epoch: z.int().min(0),
  position: z.int().min(1),
  at: epochMs,
  actor: z.string().min(1).max(200),
  causationId: z.string().max(200),
  correlationId: z.string().max(200),
  /** 16 random bytes in hex; `null` once the event's data was redacted. */
  salt: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .nullable(),
  data: z.unknown(),
  /** SHA-256(salt bytes ‖ canonical data). */
  dataHash: sha256Hex,
  /** `hash` of the event before it in the project; 64 zeros at position 1. */
  prevHash: sha256Hex,
  /** SHA-256 of the canonical envelope without `data`, `salt` and `hash`. */
  hash: sha256Hex,
});
export type EventEnvelope = z.infer<typeof eventEnvelope>;

export const GENESIS_HASH = '0'.repeat(64);
