import { z } from 'zod';
import { slug } from '../identifiers.js';
import { tolerant } from '../tolerant.js';
import { jsonValue } from './flag-document.js';

/** What control asks analysis: the plan of a rollout that was not requested yet. */
export const planQuestion = tolerant({
  project: slug,
  channel: slug,
  policy: z.unknown(),
  metrics: z.unknown(),
});

export const planAnswer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), plan: jsonValue }),
  z.object({ ok: z.literal(false), message: z.string() }),
]);
export type PlanAnswer = z.infer<typeof planAnswer>;
