import { subjectToken } from '@headgate/contracts';
import { z } from 'zod';

/** Where channels come from: this installation's own FLAGS, or the mirror of an upstream's. */
export const channelSource = z.object({
  /** Names the source in logs, metrics and on disk. `own`: the installation's, and refusing it makes the gateway not ready. */
  root: subjectToken,
  stream: z.string().regex(/^[A-Za-z0-9_-]{1,255}$/),
  /** Digest of the source's root 1: every channel of the stream is verified from here before it is served. */
  pin: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256:<64 hex digits>'),
});
export type ChannelSource = z.infer<typeof channelSource>;
