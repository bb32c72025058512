import { z } from 'zod';

/** Settings of a reactor that runs on its own. */
export const rolloutsConfig = z.object({
  natsUrl: z.string().min(1).default('nats://127.0.0.1:4222'),
  natsUser: z.string().min(1).optional(),
  natsPassword: z.string().min(1).optional().meta({ secret: true }),
  /** Folds are kept here between starts; without it they are made anew from the log. */
  dataDir: z.string().min(1).optional(),
  httpHost: z.string().min(1).default('127.0.0.1'),
  httpPort: z.number().int().min(0).max(65_535).default(0),
});
export type RolloutsConfig = z.infer<typeof rolloutsConfig>;
