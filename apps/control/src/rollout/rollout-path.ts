import { slug, uuidV7 } from '@headgate/contracts';
import { z } from 'zod';

export const rolloutPath = z.object({ project: slug, rollout: uuidV7 });
export type RolloutPath = z.infer<typeof rolloutPath>;
