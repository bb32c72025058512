import { z } from 'zod';
import { jsonValue } from './flag-document.js';

/** Name of a segment as rules refer to it: `{"$ref": "<name>"}`. */
export const segmentName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'must be 1 to 100 characters of A-Z a-z 0-9 . _ -, starting with a letter or digit',
  );

/** A condition with a name, for the rules of one channel. It may not refer to another segment. */
export const segmentDefinition = z.strictObject({
  /** A flagd JsonLogic condition. */
  when: jsonValue,
  description: z.string().min(1).max(2_000).optional(),
});
export type SegmentDefinition = z.infer<typeof segmentDefinition>;
