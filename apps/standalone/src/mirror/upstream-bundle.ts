import { subjectToken } from '@headgate/contracts';
import { z } from 'zod';

/** What an upstream hands to a vendor. Loose: a newer upstream may say more. */
export const upstreamBundle = z.looseObject({
  schema: z.literal('headgate.vendor-bundle.v1'),
  name: subjectToken,
  leafUrl: z.string().regex(/^(nats-leaf|nats|tls|ws|wss):\/\//, 'must be an address of a leaf listener'),
  vendor: subjectToken,
  password: z.string().min(16).meta({ secret: true }),
  /** Of the upstream's root. */
  pin: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits'),
});
export type UpstreamBundle = z.infer<typeof upstreamBundle>;
