import { z } from 'zod';
import { attributeName, slug, why } from '../identifiers.js';
import { tolerant } from '../tolerant.js';

export const projectCreatedV1 = tolerant({ slug, name: z.string().min(1).max(200), why });
export const channelCreatedV1 = tolerant({
  slug,
  /** Lifetime of a beat in milliseconds: how long a reader calls its state fresh without hearing from us. */
  beatLifetimeMs: z.int().min(1_000),
  /** What rules of this channel may read of a context, top-level names; absent: anything (ADR 0011). */
  attributes: z.array(attributeName).max(100).optional(),
  why,
});
