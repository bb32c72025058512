import { z } from 'zod';

/** Settings of a control that runs on its own. */
export const controlConfig = z.strictObject({
  natsUrl: z.string().min(1).default('nats://127.0.0.1:4222'),
  natsUser: z.string().min(1).optional(),
  natsPassword: z.string().min(1).optional().meta({ secret: true }),
  /** The read model and archive; without it reads come from the log, and the archive is not asked before the first write. */
  databaseUrl: z.string().min(1).optional().meta({ env: 'DATABASE_URL', secret: true }),
  dataDir: z.string().min(1).default('.headgate'),
  httpHost: z.string().min(1).default('127.0.0.1'),
  httpPort: z.int().min(0).max(65_535).default(0),
  /** PEM files of the certificate chain and its private key: HTTPS in place of HTTP; renewed files are taken up while it runs. */
  tlsCertPath: z.string().min(1).optional(),
  tlsKeyPath: z.string().min(1).optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});
export type ControlConfig = z.infer<typeof controlConfig>;
