import { z } from 'zod';

/** Settings of a publisher that runs on its own. */
export const publisherConfig = z.object({
  natsUrl: z.string().min(1).default('nats://127.0.0.1:4222'),
  natsUser: z.string().min(1).optional(),
  natsPassword: z.string().min(1).optional().meta({ secret: true }),
  /** Its keys are in `<dataDir>/keys`: whoever has them can sign flags. */
  dataDir: z.string().min(1).default('.headgate'),
  /** Encrypts the private keys made from now on, and opens them. */
  keysPassphrase: z.string().min(8).optional().meta({ secret: true }),
  beatEveryMs: z.number().int().min(100).default(5_000),
  httpHost: z.string().min(1).default('127.0.0.1'),
  httpPort: z.number().int().min(0).max(65_535).default(0),
});
export type PublisherConfig = z.infer<typeof publisherConfig>;
