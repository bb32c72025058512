import { z } from 'zod';
import { epochMs, flagKey, sha256Hex, slug } from '../identifiers.js';
import { tolerant } from '../tolerant.js';

export const REPORT_LIMITS = {
  /** One request's body after decompression. */
  maxBodyBytes: 4 * 1_048_576,
  maxCompressedBytes: 1_048_576,
  maxReportsPerBatch: 1_000,
  maxMetricsPerReport: 500,
  maxFlagsPerReport: 500,
  maxExposuresPerReport: 2_000,
  maxUnknownFlagsPerReport: 100,
} as const;

const metricKey = z.string().regex(/^[a-z][a-z0-9_.-]{0,99}$/);
const finite = z.number();

/**
 * What one instance says of itself. Counters count from the process's start (`bootId`); the reader takes differences and
 * sees resets. Strict: a field nobody knows is refused, so that nothing leaves an instance that nobody asked for.
 */
export const instanceReport = z.strictObject({
  schema: z.literal('headgate.report.v1'),
  project: slug,
  channel: slug,
  /** hex(HMAC-SHA256(siteSalt, instanceId)): the same value is the targeting key, so its bucket is known on site only. */
  instance: sha256Hex,
  /** Random per process start. */
  bootId: z.string().regex(/^[0-9a-f]{32}$/),
  /** Counts this boot's reports from 1. */
  seq: z.int().min(1),
  version: z.strictObject({
    upstream: z.string().min(1).max(100),
    vendor: z.string().max(100).optional(),
    patches: z.array(z.string().max(100)).max(50).optional(),
  }),
  health: z.enum(['ok', 'degraded', 'failing']),
  flags: z
    .array(
      z.strictObject({
        name: flagKey,
        /** Name of the variant served. */
        value: z.string().min(1).max(100),
      }),
    )
    .max(REPORT_LIMITS.maxFlagsPerReport),
  metrics: z
    .strictObject({
      /** Totals since `bootId` began. */
      counters: z.record(metricKey, finite.min(0)).default({}),
      /** Totals of readings and how many, since `bootId` began. `logSum`: sum of natural logarithms, if all readings were > 0. */
      gauges: z
        .record(metricKey, z.strictObject({ sum: finite, count: z.int().min(0), logSum: finite.optional() }))
        .default({}),
      /** Rare events: first occurrence since `bootId` began. */
      events: z.record(metricKey, epochMs).default({}),
    })
    .optional(),
  /** How often each variant was served since `bootId` began; `variant` is absent where the default in the code was. */
  exposures: z
    .array(
      z.strictObject({
        flag: flagKey,
        variant: z.string().min(1).max(100).optional(),
        count: z.int().min(1),
      }),
    )
    .max(REPORT_LIMITS.maxExposuresPerReport)
    .optional(),
  /** Flags that the code asked for and the channel does not have. */
  unknownFlags: z.array(flagKey).max(REPORT_LIMITS.maxUnknownFlagsPerReport).optional(),
  /** How an earlier process of this instance ended; told by the next one. `at`: when, by the instance's clock. */
  crash: z.strictObject({ signature: z.string().min(1).max(500), at: epochMs.optional() }).optional(),
  window: z.strictObject({ startedAt: epochMs, endedAt: epochMs }),
});
export type InstanceReport = z.infer<typeof instanceReport>;

export const reportBatch = z.strictObject({
  reports: z.array(instanceReport).min(1).max(REPORT_LIMITS.maxReportsPerBatch),
});

/** One message of TELEMETRY: reports as received, stamped with the collector's clock. */
export const telemetryPack = tolerant({
  schema: z.literal('headgate.telemetry-received.v1'),
  receivedAt: epochMs,
  reports: z.array(tolerant(instanceReport.shape)),
});
export type TelemetryPack = z.infer<typeof telemetryPack>;
