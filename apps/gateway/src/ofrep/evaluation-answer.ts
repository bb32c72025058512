import { createHash } from 'node:crypto';
import type { Evaluation, EvaluationContext, EvaluationReason } from '@headgate/evaluation';
import type { ChannelFlags } from '../flag-set/channel-flags.js';
import type { CompiledFlag } from '../flag-set/compiled-flag.js';

/** OFREP's reasons lack DEFAULT: what was served although no rule matched goes as UNKNOWN. */
const REASONS: Readonly<Record<Exclude<EvaluationReason, 'ERROR'>, string>> = {
  STATIC: 'STATIC',
  TARGETING_MATCH: 'TARGETING_MATCH',
  SPLIT: 'SPLIT',
  DEFAULT: 'UNKNOWN',
  DISABLED: 'DISABLED',
};

/** Outcomes are prepared when a flag is compiled; an evaluator that made new ones must not fill the memory. */
const MAX_OUTCOMES = 1_000;

/** JSON of every outcome that was served, by flag: a flag has few outcomes, and each is written once. */
const written = new WeakMap<CompiledFlag, Map<Evaluation, string>>();

/** One flag's evaluation as OFREP's `evaluationSuccess` or `evaluationFailure`. */
export const writeEvaluation = (flag: CompiledFlag, evaluation: Evaluation, flagSetId: string): string => {
  let outcomes = written.get(flag);
  const found = outcomes?.get(evaluation);
  if (found !== undefined) return found;
  const json = JSON.stringify(answerOf(flag, evaluation, flagSetId));
  // Failures can name anything that a context holds: they are made for one caller.
  if (evaluation.reason === 'ERROR' || (outcomes?.size ?? 0) >= MAX_OUTCOMES) return json;
  if (outcomes === undefined) {
    outcomes = new Map();
    written.set(flag, outcomes);
  }
  outcomes.set(evaluation, json);
  return json;
};

const answerOf = ({ document }: CompiledFlag, evaluation: Evaluation, flagSetId: string): object => {
  const { reason, variant, value, errorCode, errorMessage } = evaluation;
  const metadata = { flagSetId, ...document.metadata };
  if (reason === 'ERROR')
    return {
      key: document.key,
      errorCode: errorCode ?? 'GENERAL',
      errorDetails: errorMessage ?? 'The flag cannot be evaluated.',
      metadata,
    };
  const served = variant === undefined ? {} : { value, variant };
  return { key: document.key, reason: REASONS[reason], ...served, metadata };
};

export interface BulkAnswer {
  readonly body: Buffer;
  /** Of the body, so of the evaluated result: it changes when that does, and only then. */
  readonly etag: string;
}

export interface BulkOptions {
  readonly flagSetId: string;
  /** Path and query of the event stream. */
  readonly eventsUri: string;
  readonly onEvaluated: (flag: CompiledFlag, evaluation: Evaluation) => void;
}

/** Seconds that a page may be hidden before its client closes the stream, and evaluates anew when it is seen again. */
const INACTIVITY_DELAY_SECONDS = 120;

export const evaluateAll = (
  flags: ChannelFlags,
  context: EvaluationContext,
  { flagSetId, eventsUri, onEvaluated }: BulkOptions,
): BulkAnswer => {
  const parts: string[] = [];
  for (const flag of flags.all()) {
    const evaluation = flag.evaluate(context);
    onEvaluated(flag, evaluation);
    parts.push(writeEvaluation(flag, evaluation, flagSetId));
  }
  const eventStreams = [
    { type: 'sse', endpoint: { requestUri: eventsUri }, inactivityDelaySec: INACTIVITY_DELAY_SECONDS },
  ];
  const body = Buffer.from(
    `{"flags":[${parts.join(',')}],"metadata":${JSON.stringify({ flagSetId })},"eventStreams":${JSON.stringify(eventStreams)}}`,
  );
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"` };
};

/** Whether `If-None-Match` names the ETag: one or several, weak or not, and unquoted as in OFREP's examples. */
export const isMatch = (ifNoneMatch: string | undefined, etag: string): boolean =>
  (ifNoneMatch ?? '').split(',').some((given) => {
    const bare = given.trim().replace(/^W\//, '');
    return bare === '*' || bare === etag || `"${bare}"` === etag;
  });
