import type { DescMessage, JsonObject } from '@bufbuild/protobuf';
import type { EvaluationContext } from '@headgate/evaluation';
import type { ServedChannel } from '../../channels/served-channel.js';
import type { UsageCounter } from '../../flag-set/usage.js';
import { FlagdRefused } from '../grpc/grpc-status.js';
import { EVALUATION_V1, EVALUATION_V2 } from '../proto/flagd-messages.js';
import { type EvaluationVersion, resolveAll, resolveFlag, type ValueKind } from './resolve.js';

/** One unary method, whichever way its messages come. */
export interface EvaluationMethod {
  readonly request: DescMessage;
  readonly response: DescMessage;
  /** From and to proto-JSON, which Connect sends as it is. Throws `FlagdRefused`. */
  answer(channel: ServedChannel, request: JsonObject): JsonObject;
}

/** By service and name, such as `flagd.evaluation.v1.Service/ResolveAll`. */
export const evaluationMethods = (usage: UsageCounter): ReadonlyMap<string, EvaluationMethod> =>
  new Map([
    ...resolves('v1', EVALUATION_V1, usage),
    ...resolves('v2', EVALUATION_V2, usage),
    [
      `${serviceOf('v1')}/ResolveAll`,
      {
        request: EVALUATION_V1.ResolveAllRequest,
        response: EVALUATION_V1.ResolveAllResponse,
        answer: (channel, request) => resolveAll(channel, contextOf(request), usage),
      },
    ],
  ]);

/** Paths of EventStream, whose messages are the same in both versions. */
export const EVENT_STREAMS: readonly string[] = (['v1', 'v2'] as const).map(
  (version) => `${serviceOf(version)}/EventStream`,
);

function serviceOf(version: EvaluationVersion): string {
  return `flagd.evaluation.${version}.Service`;
}

const resolves = (
  version: EvaluationVersion,
  messages: typeof EVALUATION_V1 | typeof EVALUATION_V2,
  usage: UsageCounter,
): [string, EvaluationMethod][] =>
  (['Boolean', 'String', 'Float', 'Int', 'Object'] satisfies ValueKind[]).map((kind) => [
    `${serviceOf(version)}/Resolve${kind}`,
    {
      request: messages[`Resolve${kind}Request`],
      response: messages[`Resolve${kind}Response`],
      answer: (channel, request) =>
        resolveFlag(channel, { kind, key: keyOf(request), context: contextOf(request), version }, usage),
    },
  ]);

const keyOf = ({ flagKey }: JsonObject): string => {
  if (typeof flagKey === 'string') return flagKey;
  throw new FlagdRefused('invalidArgument', 'the request names no flag_key');
};

/** The descriptor has seen to it that a context is an object. */
const contextOf = ({ context }: JsonObject): EvaluationContext => {
  const given = (context ?? {}) as JsonObject;
  const { targetingKey, ...attributes } = given;
  if (targetingKey === undefined || targetingKey === null) return attributes;
  if (typeof targetingKey !== 'string')
    throw new FlagdRefused('invalidArgument', 'the targetingKey must be a text');
  return given as EvaluationContext;
};
