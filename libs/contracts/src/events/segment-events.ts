import { slug, why } from '../identifiers.js';
import { tolerant } from '../tolerant.js';
import { segmentDefinition, segmentName } from '../wire/segment.js';

export const segmentCreatedV1 = tolerant({
  channel: slug,
  name: segmentName,
  definition: tolerant(segmentDefinition.shape),
  why,
});
/** The whole definition after the change. */
export const segmentChangedV1 = tolerant({ definition: tolerant(segmentDefinition.shape), why });
export const segmentRemovedV1 = tolerant({ why });
