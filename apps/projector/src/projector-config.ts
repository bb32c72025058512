import { z } from 'zod';

/** Settings of a projector that runs on its own. */
export const projectorConfig = z.object({
  natsUrl: z.string().min(1).default('nats://127.0.0.1:4222'),
  natsUser: z.string().min(1).optional(),
  natsPassword: z.string().min(1).optional().meta({ secret: true }),
  databaseUrl: z.string().min(1).meta({ env: 'DATABASE_URL', secret: true }),
  httpHost: z.string().min(1).default('127.0.0.1'),
  httpPort: z.number().int().min(0).max(65_535).default(0),
});
export type ProjectorConfig = z.infer<typeof projectorConfig>;
