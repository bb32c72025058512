import { z } from 'zod';
import { tolerant } from '../tolerant.js';
import { flagHealthView } from './views.js';

export const variantUsageView = tolerant({
  /** Null: the default in the code. */
  variant: z.string().nullable(),
  /** `instance`: an SDK served it. `gateway`: a gateway evaluated this flag. `list`: a gateway handed out all flags of the channel. */
  source: z.enum(['instance', 'gateway', 'list']),
  count: z.number(),
  firstAt: z.number(),
  lastAt: z.number(),
  /** About: 3 % off on average in large fleets. */
  instances: z.number(),
});

/** What reports said of a flag's use. Counts of clients that do not report are not in it. */
export const flagUsageView = tolerant({
  project: z.string(),
  channel: z.string(),
  key: z.string(),
  /** Of what was served to somebody who asked for this flag. Times are of receipt: as fine as the interval of reports. */
  count: z.number(),
  firstServedAt: z.number().nullable(),
  lastServedAt: z.number().nullable(),
  variants: z.array(variantUsageView),
  /** When reports of the channel were first and last received: before and after them nothing is known. */
  firstReportAt: z.number().nullable(),
  lastReportAt: z.number().nullable(),
  health: flagHealthView.optional(),
});
export type FlagUsageView = z.infer<typeof flagUsageView>;

/** A key that code asks for and the channel does not have. */
export const unknownFlagView = tolerant({
  key: z.string(),
  firstAskedAt: z.number(),
  /** Newest report that named it; a process names it until it ends or the flag is made. */
  lastAskedAt: z.number(),
  instances: z.number(),
});
export type UnknownFlagView = z.infer<typeof unknownFlagView>;

export const unknownFlagsView = tolerant({
  items: z.array(unknownFlagView),
  /** Times that a key was told and found no room in the list. */
  dropped: z.number(),
});
export type UnknownFlagsView = z.infer<typeof unknownFlagsView>;
