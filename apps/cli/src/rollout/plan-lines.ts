import { z } from 'zod';
import { duration, percent } from '../output/figures.js';
import { printable, table } from '../output/table.js';

/** What of libs/judge's RolloutPlan people look at; the rest is there with `-o json`. */
export const planView = z.looseObject({
  mode: z.string(),
  fleetSize: z.number(),
  holdBackPpm: z.number().optional(),
  refusals: z.array(z.string()).default([]),
  policy: z.looseObject({ bakeMs: z.number().optional(), maxBakeMs: z.number().optional() }).default({}),
  steps: z.array(z.looseObject({ weightPpm: z.number(), isJudgeable: z.boolean(), isFinal: z.boolean() })),
  metrics: z
    .array(
      z.looseObject({
        definition: z.looseObject({ name: z.string(), tier: z.string() }),
        engines: z.array(z.string()),
        detectable: z.array(z.number().nullable()),
        isQuarantined: z.boolean().optional(),
      }),
    )
    .default([]),
});
export type PlanView = z.infer<typeof planView>;

export const planLines = (plan: PlanView): readonly string[] => [
  `fleet: ${plan.fleetSize} instances reported (${plan.mode})`,
  ...(plan.policy.bakeMs === undefined ? [] : [`bake: ${duration(plan.policy.bakeMs)} a step`]),
  ...(plan.holdBackPpm ? [`hold-back: ${percent(plan.holdBackPpm)}`] : []),
  ...plan.refusals.map((refusal) => `refused: ${printable(refusal)}`),
  '',
  table(
    ['step', 'weight', 'judged', 'can detect'],
    plan.steps.map((step, index) => [
      String(index + 1),
      percent(step.weightPpm),
      step.isJudgeable ? 'yes' : 'no: too small',
      detects(plan, index),
    ]),
  ),
];

const detects = ({ metrics }: PlanView, step: number): string =>
  metrics
    .filter(({ isQuarantined }) => !isQuarantined)
    .map(({ definition, detectable, engines }) => {
      const least = detectable[step];
      return least === null || least === undefined
        ? null
        : `${definition.name} ${Number((least * 100).toFixed(1))} % (${engines[step] ?? '?'})`;
    })
    .filter((text) => text !== null)
    .join(', ') || '-';
