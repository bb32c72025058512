import { z } from 'zod';
import { flagKey, slug, why } from '../identifiers.js';
import { tolerant } from '../tolerant.js';
import { flagDefinition } from '../wire/flag-document.js';

export const flagCreatedV1 = tolerant({
  channel: slug,
  key: flagKey,
  definition: tolerant(flagDefinition.shape),
  why,
});
/** The whole definition after the change: a reader never has to merge. */
export const flagChangedV1 = tolerant({ definition: tolerant(flagDefinition.shape), why });
export const flagKilledV1 = tolerant({ why });
export const flagKillLiftedV1 = tolerant({ why });
export const flagArchivedV1 = tolerant({ why });
/** A newer signed document found in FLAGS or at a mirror after a restore that lost the log's tail. */
export const flagRestoredV1 = tolerant({
  channel: slug,
  key: flagKey,
  definition: tolerant(flagDefinition.shape),
  killed: tolerant({ at: z.int().min(0), why }).optional(),
  from: tolerant({ epoch: z.int().min(0), position: z.int().min(1) }),
  why,
});
