import { segmentName, slug } from '@headgate/contracts';
import { z } from 'zod';

export const segmentPath = z.object({ project: slug, channel: slug, name: segmentName });
export type SegmentPath = z.infer<typeof segmentPath>;
