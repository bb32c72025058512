import {
  judgePolicy,
  metricDefinition,
  PLAN_QUESTIONS,
  type PlanAnswer,
  planQuestion,
} from '@headgate/contracts';
import type { Streams } from '@headgate/streams';
import { type PreviewParts, previewPlan } from './preview-plan.js';

/** Answers what control asks: the plan that a rollout would get now. Returns what ends it. */
export const answerPlans = (
  streams: Pick<Streams, 'answer'> & PreviewParts['streams'],
  now: () => number,
  onFault: (error: unknown) => void,
): (() => void) =>
  streams.answer(PLAN_QUESTIONS, async (data) => {
    const answer = await planFor(data, { streams, now }).catch((error: unknown): PlanAnswer => {
      onFault(error);
      return { ok: false, message: 'analysis could not make a plan; see its log' };
    });
    return Buffer.from(JSON.stringify(answer));
  });

const planFor = async (data: Uint8Array, parts: PreviewParts): Promise<PlanAnswer> => {
  const { project, channel, policy, metrics } = planQuestion.parse(JSON.parse(Buffer.from(data).toString()));
  const plan = await previewPlan(parts, {
    project,
    channel,
    policy: judgePolicy.parse(policy),
    metrics: metricDefinition.array().parse(metrics),
  });
  return { ok: true, plan };
};
