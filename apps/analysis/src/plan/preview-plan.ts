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
import { isReport, readPack, type TelemetryReport } from '../telemetry/telemetry-pack.js';

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
/** Instances that take part in no rollout report once an hour or oftener. */
const CENSUS_MS = 3 * 3_600_000;
const DEFAULT_INTERVAL_MS = 3_600_000;

/**
 * The plan that a rollout would get now, made from what the fleet reported over the time of a pre-period until now. Moves nothing.
 * Answers the judge's plan with its weights (`ladderPpm`) and lines for people (`explain`).
 */
export async function previewPlan(parts: PreviewParts, request: PreviewRequest): Promise<JsonValue> {
  const until = parts.now();
  const { fleetSize, intervalMs } = await takeCensus(parts, request, until - CENSUS_MS);
  const policy = judgePolicyFor(request.policy, fleetSize);
  // A pre-period ends for an instance with its next report: it must have had the time to send one in its present rhythm.
  const slackMs = Math.max(graceMsOf(policy), 1.5 * intervalMs);
  const startAt = until - policy.prePeriodMs - slackMs;
  const rows = new RolloutRows(SEED);
  rows.beginPeriod({ startAt, lengthsMs: prePeriodLengths(policy) });
  rows.beginWatch({ since: startAt, lostAfterMs: Math.max(policy.lostAfterMs, 3 * intervalMs) });
  const names = judgedNames(request.metrics);
  for await (const { at, report } of reportsSince(parts, request, startAt))
    rows.fold(judgedPart(report, names), at);
  const plan = planRollout({ preRows: rows.preRows(), metrics: request.metrics, policy, orderSalt: SEED });
  const ladderPpm = plan.steps.map(({ weightPpm }) => weightPpm);
  return JSON.parse(JSON.stringify({ ...plan, ladderPpm, explain: explainPlan(plan) })) as JsonValue;
}

/** How many instances report, and how often (the median). */
async function takeCensus(
  parts: PreviewParts,
  request: PreviewRequest,
  since: number,
): Promise<{ readonly fleetSize: number; readonly intervalMs: number }> {
  const seen = new Map<string, { readonly first: number; last: number; reports: number }>();
  for await (const { at, report } of reportsSince(parts, request, since)) {
    const instance = seen.get(report.instance);
    if (!instance) seen.set(report.instance, { first: at, last: at, reports: 1 });
    else {
      instance.last = at;
      instance.reports += 1;
    }
  }
  const intervals = [...seen.values()]
    .filter(({ reports }) => reports > 1)
    .map(({ first, last, reports }) => (last - first) / (reports - 1))
    .sort((a, b) => a - b);
  return {
    fleetSize: seen.size,
    intervalMs: intervals[Math.floor(intervals.length / 2)] ?? DEFAULT_INTERVAL_MS,
  };
}

async function* reportsSince(
  { streams }: PreviewParts,
  { project, channel }: PreviewRequest,
  since: number,
): AsyncIterable<{ readonly at: number; readonly report: TelemetryReport }> {
  const from = await firstSequenceSince(streams, STREAMS.telemetry, since);
  let at = since;
  for await (const message of streams.readRange(STREAMS.telemetry, {
    filter: telemetrySubject(project),
    from,
  })) {
    const pack = readPack(message);
    at = Math.max(at, pack.at);
    for (const report of pack.reports)
      if (isReport(report) && report.channel === channel) yield { at, report };
  }
}
