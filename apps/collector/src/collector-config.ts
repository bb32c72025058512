import { z } from 'zod';

/** Settings of a collector that runs on its own. */
export const collectorConfig = z.object({
  natsUrl: z.string().min(1).default('nats://127.0.0.1:4222'),
  natsUser: z.string().min(1).optional(),
  natsPassword: z.string().min(1).optional().meta({ secret: true }),
  httpHost: z.string().min(1).default('127.0.0.1'),
  httpPort: z.number().int().min(0).max(65_535).default(0),
  /** PEM files of the certificate chain and its private key: HTTPS in place of HTTP; renewed files are taken up while it runs. */
  tlsCertPath: z.string().min(1).optional(),
  tlsKeyPath: z.string().min(1).optional(),
  /** The installation's own token for reports; a collector on its own does not read the log's tokens. */
  ingestToken: z.string().min(16).meta({ secret: true }),
});
export type CollectorConfig = z.infer<typeof collectorConfig>;
