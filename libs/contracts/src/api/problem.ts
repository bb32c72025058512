import { z } from 'zod';
import { tolerant } from '../tolerant.js';

/** Body of every answer that is not 2xx. */
export const problem = tolerant({
  error: tolerant({
    code: z.string(),
    message: z.string(),
    next: z.string(),
    /** Where in the input, one line each. */
    details: z.array(z.string()).optional(),
    correlationId: z.string().optional(),
  }),
});
export type Problem = z.infer<typeof problem>;
