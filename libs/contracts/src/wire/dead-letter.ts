import { z } from 'zod';
import { epochMs } from '../identifiers.js';
import { tolerant } from '../tolerant.js';

/** One message of DLQ: what a consumer could not handle, so that somebody can look and nothing waits behind it. */
export const deadLetter = tolerant({
  schema: z.literal('headgate.dead-letter.v1'),
  consumer: z.string(),
  stream: z.string(),
  sequence: z.number(),
  /** Which report of the message, from 0; absent when it is the message as a whole. */
  index: z.number().optional(),
  at: epochMs,
  error: z.string(),
  /** The beginning of what could not be handled. */
  text: z.string(),
});
export type DeadLetter = z.infer<typeof deadLetter>;
