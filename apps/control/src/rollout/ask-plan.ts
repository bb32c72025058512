import {
  type JsonValue,
  type JudgePolicy,
  type MetricDefinition,
  PLAN_QUESTIONS,
  planAnswer,
} from '@headgate/contracts';
import { RequestRefused } from '@headgate/service-kit';
import { type Streams, StreamsError } from '@headgate/streams';

/** A fleet of thousands is planned in seconds. */
const TIMEOUT_MS = 60_000;

interface PlanRequest {
  readonly project: string;
  readonly channel: string;
  readonly policy: JudgePolicy;
  readonly metrics: readonly MetricDefinition[];
}

/** Has analysis, wherever it runs, make the plan: it alone reads the telemetry. */
export const askPlan = async (streams: Pick<Streams, 'ask'>, request: PlanRequest): Promise<JsonValue> => {
  const question = Buffer.from(JSON.stringify(request));
  const answer = await streams.ask(PLAN_QUESTIONS, question, TIMEOUT_MS).catch((error: unknown) => {
    if (error instanceof StreamsError)
      throw new RequestRefused('analysis-unavailable', 'No analysis service answered.');
    throw error;
  });
  const read = planAnswer.parse(JSON.parse(Buffer.from(answer).toString()));
  if (!read.ok) throw new RequestRefused('analysis-unavailable', read.message);
  return read.plan;
};
