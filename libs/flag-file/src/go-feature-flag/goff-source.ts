import type { JsonValue } from '@headgate/contracts';
import { z } from 'zod';
import { readInstant } from '../figures.js';

/** What of a GO Feature Flag file is read. Dates are RFC 3339 texts. */
const instant = z.union([z.string(), z.number()]).transform((value, context) => {
  const reading = readInstant(value);
  if ('value' in reading) return reading.value;
  context.addIssue({ code: 'custom', message: reading.message });
  return z.NEVER;
});
const rampStep = z.looseObject({
  variation: z.string().optional(),
  percentage: z.number().optional(),
  date: instant.optional(),
});
const rule = z.looseObject({
  name: z.string().optional(),
  query: z.string().optional(),
  variation: z.string().optional(),
  percentage: z.record(z.string(), z.number()).optional(),
  progressiveRollout: z.looseObject({ initial: rampStep.optional(), end: rampStep.optional() }).optional(),
  disable: z.boolean().optional(),
});
const experimentation = z.looseObject({ start: instant.optional(), end: instant.optional() });
const state = {
  variations: z.record(z.string().min(1).max(100), z.json()).optional(),
  targeting: z
    .array(rule)
    .nullish()
    .transform((rules) => rules ?? undefined),
  defaultRule: rule.optional(),
  experimentation: experimentation.optional(),
  disable: z.boolean().optional(),
  version: z.union([z.string(), z.number()]).optional(),
  trackEvents: z.boolean().optional(),
};
export const goffFlag = z.looseObject({
  ...state,
  bucketingKey: z.string().optional(),
  metadata: z.record(z.string(), z.json()).nullish(),
  scheduledRollout: z.array(z.looseObject({ ...state, date: instant.optional() })).nullish(),
});

export type GoffRule = z.infer<typeof rule>;
export type GoffFlag = z.infer<typeof goffFlag>;

/** What a flag is from a moment on; the first one has none. */
export interface GoffState {
  readonly from: number | undefined;
  readonly rules: readonly GoffRule[];
  readonly defaultRule: GoffRule | undefined;
  readonly variations: Readonly<Record<string, JsonValue>>;
  readonly isDisabled: boolean;
  readonly window: { readonly start?: number | undefined; readonly end?: number | undefined };
}

/** The flag as it stands, and as each dated step of its schedule leaves it, oldest first. */
export const statesOf = (flag: GoffFlag): readonly GoffState[] => {
  const states: GoffState[] = [
    {
      from: undefined,
      rules: flag.targeting ?? [],
      defaultRule: flag.defaultRule,
      variations: (flag.variations ?? {}) as Readonly<Record<string, JsonValue>>,
      isDisabled: flag.disable ?? false,
      window: flag.experimentation ?? {},
    },
  ];
  const steps = (flag.scheduledRollout ?? []).filter(({ date }) => date !== undefined);
  for (const step of [...steps].sort((a, b) => (a.date ?? 0) - (b.date ?? 0))) {
    const last = states.at(-1) as GoffState;
    states.push({
      from: step.date,
      rules: mergedRules(last.rules, step.targeting ?? []),
      defaultRule: step.defaultRule ? merged(last.defaultRule ?? {}, step.defaultRule) : last.defaultRule,
      variations: { ...last.variations, ...((step.variations ?? {}) as Readonly<Record<string, JsonValue>>) },
      isDisabled: step.disable ?? last.isDisabled,
      window: {
        start: step.experimentation?.start ?? last.window.start,
        end: step.experimentation?.end ?? last.window.end,
      },
    });
  }
  return states;
};

/** A rule of the step changes the one of its name, or comes after all others. */
const mergedRules = (rules: readonly GoffRule[], updates: readonly GoffRule[]): readonly GoffRule[] => {
  const updateOf = ({ name }: GoffRule): GoffRule | undefined =>
    name === undefined ? undefined : updates.find((update) => update.name === name);
  const known = new Set(rules.flatMap(({ name }) => (name === undefined ? [] : [name])));
  return [
    ...rules.map((own) => {
      const update = updateOf(own);
      return update ? merged(own, update) : own;
    }),
    ...updates.filter(({ name }) => name === undefined || !known.has(name)),
  ];
};

/** A negative percentage takes its variation out. */
const merged = (own: GoffRule, update: GoffRule): GoffRule => {
  const { percentage, progressiveRollout, ...rest } = update;
  const shares = { ...own.percentage, ...percentage };
  const ramp = progressiveRollout && {
    initial: { ...own.progressiveRollout?.initial, ...progressiveRollout.initial },
    end: { ...own.progressiveRollout?.end, ...progressiveRollout.end },
  };
  return {
    ...own,
    ...rest,
    ...(percentage
      ? { percentage: Object.fromEntries(Object.entries(shares).filter(([, share]) => share >= 0)) }
      : {}),
    ...(ramp ? { progressiveRollout: ramp } : {}),
  };
};
