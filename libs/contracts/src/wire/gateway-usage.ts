import { z } from 'zod';
import { epochMs, flagKey, sha256Hex, slug } from '../identifiers.js';
import { tolerant } from '../tolerant.js';
import { instanceReport, REPORT_LIMITS } from './report.js';

const served = instanceReport.shape.exposures;

/**
 * What one gateway evaluated for clients that do not report themselves (OFREP, flagd): totals since `bootId` began. A name that a
 * report leaves out keeps its last total, so that a gateway of many flags may send only what has changed.
 */
export const gatewayUsage = z.strictObject({
  schema: z.literal('headgate.gateway-usage.v1'),
  project: slug,
  channel: slug,
  /** A hash, as an instance's is. */
  gateway: sha256Hex,
  bootId: instanceReport.shape.bootId,
  seq: instanceReport.shape.seq,
  /** A caller wanted this flag. */
  asked: served,
  /** The caller was given all flags of the channel, whichever it uses. */
  listed: served,
  unknownFlags: z.array(flagKey).max(REPORT_LIMITS.maxUnknownFlagsPerReport).optional(),
});
export type GatewayUsage = z.infer<typeof gatewayUsage>;

export const gatewayUsageBatch = z.strictObject({ usage: z.array(gatewayUsage).min(1).max(100) });

/** One message of TELEMETRY. Readers that want instances' reports find none in it. */
export const gatewayUsagePack = tolerant({
  schema: z.literal('headgate.gateway-usage-received.v1'),
  receivedAt: epochMs,
  usage: z.array(tolerant(gatewayUsage.shape)),
});
