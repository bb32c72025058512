import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { Evaluation, EvaluationContext } from '@headgate/evaluation';
import type { ServedChannel } from '../../channels/served-channel.js';
import type { CompiledFlag } from '../../flag-set/compiled-flag.js';
import type { UsageCounter } from '../../flag-set/usage.js';
import { FlagdRefused } from '../grpc/grpc-status.js';

export type ValueKind = 'Boolean' | 'String' | 'Float' | 'Int' | 'Object';

/** v1 has no way to say "use the default in your code" but an error; v2 leaves the value out. */
export type EvaluationVersion = 'v1' | 'v2';

export interface Question {
  readonly kind: ValueKind;
  readonly key: string;
  readonly context: EvaluationContext;
  readonly version: EvaluationVersion;
}

/** One flag as flagd's Resolve… answers it, in proto-JSON. Throws `FlagdRefused` with the status that flagd's clients expect. */
export const resolveFlag = (
  channel: ServedChannel,
  { kind, key, context, version }: Question,
  usage: UsageCounter,
): JsonObject => {
  const { project, channel: name } = channel.address;
  const flag = channel.flags.find(key);
  if (flag === undefined) {
    usage.count(project, name, key, null, 'unknown');
    throw new FlagdRefused('notFound', `flag ${JSON.stringify(key)} is not in ${project}/${name}`);
  }
  const evaluation = flag.evaluate(context);
  usage.count(project, name, key, evaluation.variant ?? null);
  refuseErrors(evaluation);
  const { reason, variant, value } = evaluation;
  const answer = { reason: reasonOf(reason), metadata: metadataOf(channel, flag) };
  if (variant !== undefined) return { ...answer, variant, value: valueAs(kind, value, key) };
  if (version === 'v2') return answer;
  throw new FlagdRefused(
    'notFound',
    reason === 'DISABLED'
      ? `flag ${JSON.stringify(key)} is disabled`
      : `flag ${JSON.stringify(key)} leaves its value to the code`,
  );
};

/** ResolveAll of v1, which has no place for a flag without a value: it is left out. */
export const resolveAll = (
  channel: ServedChannel,
  context: EvaluationContext,
  usage: UsageCounter,
): JsonObject => {
  const { project, channel: name } = channel.address;
  const flags: [string, JsonObject][] = [];
  for (const flag of channel.flags.all()) {
    const { reason, variant, value } = flag.evaluate(context);
    if (reason === 'ERROR') continue;
    usage.count(project, name, flag.document.key, variant ?? null, 'listed');
    const arm = ARMS[typeof value];
    if (variant === undefined || arm === undefined) continue;
    const answer = { reason: reasonOf(reason), variant, metadata: metadataOf(channel, flag) };
    flags.push([flag.document.key, { ...answer, [arm]: value as JsonValue }]);
  }
  return { flags: Object.fromEntries(flags), metadata: setMetadata(channel) };
};

const ARMS: Readonly<Record<string, string>> = {
  boolean: 'boolValue',
  string: 'stringValue',
  number: 'doubleValue',
  object: 'objectValue',
};

/** flagd knows no SPLIT: a share that was hit is a rule that was hit. */
const reasonOf = (reason: Evaluation['reason']): string => (reason === 'SPLIT' ? 'TARGETING_MATCH' : reason);

const refuseErrors = ({ reason, errorCode, errorMessage }: Evaluation): void => {
  if (reason !== 'ERROR') return;
  const code = errorCode === 'PARSE_ERROR' ? 'dataLoss' : 'unknown';
  throw new FlagdRefused(code, errorMessage ?? 'the flag cannot be evaluated');
};

const setMetadata = ({ address: { project, channel } }: ServedChannel): JsonObject => ({
  flagSetId: `${project}/${channel}`,
});

const metadataOf = (channel: ServedChannel, { document }: CompiledFlag): JsonObject => ({
  ...setMetadata(channel),
  ...document.metadata,
});

const valueAs = (kind: ValueKind, value: unknown, key: string): JsonValue => {
  if (kind === 'Boolean' && typeof value === 'boolean') return value;
  if (kind === 'String' && typeof value === 'string') return value;
  if (kind === 'Float' && typeof value === 'number') return value;
  if (kind === 'Int' && typeof value === 'number' && Math.abs(value) < 2 ** 63)
    return String(BigInt(Math.trunc(value)));
  if (kind === 'Object' && typeof value === 'object' && value !== null) return value as JsonObject;
  throw new FlagdRefused(
    'invalidArgument',
    `flag ${JSON.stringify(key)} is not of type ${kind.toLowerCase()}`,
  );
};
