import { flagKey, slug } from '@headgate/contracts';
import { z } from 'zod';

/** A flag as an address names it; its key is one percent-encoded segment. */
export const flagPath = z.object({ project: slug, channel: slug, key: flagKey });
export type FlagPath = z.infer<typeof flagPath>;

export const channelPath = z.object({ project: slug, channel: slug });
export type ChannelPath = z.infer<typeof channelPath>;
