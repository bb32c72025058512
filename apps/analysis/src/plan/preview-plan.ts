import {
  type JsonValue,
  type JudgePolicy,
  type MetricDefinition,
  STREAMS,
  telemetrySubject,
} from '@headgate/contracts';
import { explainPlan, planRollout, prePeriodLengths } from '@headgate/judge';
import type { Streams } from '@headgate/streams';
import { graceMsOf, judgePolicyFor } from '../rollout/judge-policy.js';
import { judgedNames, judgedPart } from '../rollout/judged-names.js';
import { RolloutRows } from '../rollout/rollout-rows.js';
import { firstSequenceSince } from '../telemetry/first-sequence-since.js';
import { readPack } from '../telemetry/telemetry-pack.js';

export interface PreviewRequest {
  readonly project: string;
  readonly channel: string;
  readonly policy: JudgePolicy;
  readonly metrics: readonly MetricDefinition[];
}

export interface PreviewParts {
  readonly streams: Pick<Streams, 'info' | 'get' | 'readRange'>;
  readonly now: () => number;
}

/** Any seed will do to ask what a rollout could see: the real one is drawn when it is requested. */
const SEED = 'preview';

/**
 * The plan that a rollout would get now, made from what the fleet reported over the time of a pre-period until now. Moves nothing.
 * Answers the judge's plan with its weights (`ladderPpm`) and lines for people (`explain`).
 */
export async function previewPlan(
  { streams, now }: PreviewParts,
  { project, channel, policy: declared, metrics }: PreviewRequest,
): Promise<JsonValue> {
  const until = now();
  const read = async (fleetSize: number) => {
    const policy = judgePolicyFor(declared, fleetSize);
    const startAt = until - policy.prePeriodMs - graceMsOf(policy);
    const rows = new RolloutRows(SEED);
    rows.beginPeriod({ startAt, lengthsMs: prePeriodLengths(policy) });
    rows.beginWatch({ since: startAt, lostAfterMs: policy.lostAfterMs });
    const names = judgedNames(metrics);
    const from = await firstSequenceSince(streams, STREAMS.telemetry, startAt);
    let at = startAt;
    for await (const message of streams.readRange(STREAMS.telemetry, {
      filter: telemetrySubject(project),
      from,
    })) {
      const pack = readPack(message);
      at = Math.max(at, pack.at);
      for (const report of pack.reports)
        if (report.channel === channel) rows.fold(judgedPart(report, names), at);
    }
    return { policy, rows };
  };
  let { policy, rows } = await read(0);
  // A larger fleet bakes for a shorter time: what it reported in that time is what its plan is made of.
  if (judgePolicyFor(declared, rows.size).prePeriodMs !== policy.prePeriodMs)
    ({ policy, rows } = await read(rows.size));
  const plan = planRollout({ preRows: rows.preRows(), metrics, policy, orderSalt: SEED });
  const ladderPpm = plan.steps.map(({ weightPpm }) => weightPpm);
  return JSON.parse(JSON.stringify({ ...plan, ladderPpm, explain: explainPlan(plan) })) as JsonValue;
}
