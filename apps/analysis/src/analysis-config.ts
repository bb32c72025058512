import { z } from 'zod';

/** Settings of an analysis that runs on its own. */
export const analysisConfig = z.object({
  natsUrl: z.string().min(1).default('nats://127.0.0.1:4222'),
  natsUser: z.string().min(1).optional(),
  natsPassword: z.string().min(1).optional().meta({ secret: true }),
  /** Full analyses go to `<dataDir>/analyses`, folds to `<dataDir>/snapshots`. */
  dataDir: z.string().min(1).default('.headgate'),
  /** How long full analyses are kept; as long as TELEMETRY, from which they could be made again. */
  analysesMaxAgeMs: z
    .number()
    .int()
    .min(60_000)
    .default(30 * 86_400_000),
  httpHost: z.string().min(1).default('127.0.0.1'),
  httpPort: z.number().int().min(0).max(65_535).default(0),
});
export type AnalysisConfig = z.infer<typeof analysisConfig>;
