import {
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { StreamDeclaration, StreamDescription } from './streams.js';

const NANOS_PER_MS = 1_000_000;

export const toStreamConfig = (declaration: StreamDeclaration): Partial<StreamConfig> & { name: string } => ({
  name: declaration.name,
  subjects: [...declaration.subjects],
  description: declaration.description ?? '',
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  max_msgs_per_subject: declaration.maxMessagesPerSubject ?? -1,
  max_bytes: declaration.maxBytes ?? -1,
  max_age: nanos(declaration.maxAgeMs ?? 0),
  max_msg_size: declaration.maxMessageBytes ?? -1,
  discard: declaration.whenFull === 'refuse' ? DiscardPolicy.New : DiscardPolicy.Old,
  duplicate_window: nanos(declaration.duplicateWindowMs),
  deny_delete: declaration.denyDelete,
  deny_purge: declaration.denyPurge,
  allow_direct: true,
  num_replicas: declaration.replicas ?? 1,
  ...(declaration.firstSequence === undefined ? {} : { first_seq: declaration.firstSequence }),
});

export const describeStream = (info: StreamInfo): StreamDescription => {
  const { config, state } = info;
  return {
    name: config.name,
    created: info.created,
    firstSequence: state.first_seq,
    lastSequence: state.last_seq,
    messages: state.messages,
    bytes: state.bytes,
    subjectCount: state.num_subjects ?? 0,
    config: {
      name: config.name,
      subjects: config.subjects ?? [],
      ...(config.description ? { description: config.description } : {}),
      ...limit('maxMessagesPerSubject', config.max_msgs_per_subject),
      ...limit('maxBytes', config.max_bytes),
      ...limit('maxAgeMs', config.max_age / NANOS_PER_MS),
      ...limit('maxMessageBytes', config.max_msg_size),
      whenFull: config.discard === DiscardPolicy.New ? 'refuse' : 'drop-oldest',
      duplicateWindowMs: config.duplicate_window / NANOS_PER_MS,
      denyDelete: config.deny_delete === true,
      denyPurge: config.deny_purge === true,
      replicas: config.num_replicas,
    },
  };
};

/** What a declaration promises and a stream does not keep; empty when it keeps everything. */
export const differencesFrom = (
  declaration: StreamDeclaration,
  found: StreamDescription['config'],
): readonly string[] => {
  const differences: string[] = [];
  const compare = (setting: string, wanted: unknown, is: unknown) => {
    if (JSON.stringify(wanted) !== JSON.stringify(is))
      differences.push(
        `${setting} is ${JSON.stringify(is) ?? 'unlimited'}, wanted ${JSON.stringify(wanted) ?? 'unlimited'}`,
      );
  };
  compare('subjects', declaration.subjects, found.subjects);
  compare('maxMessagesPerSubject', declaration.maxMessagesPerSubject, found.maxMessagesPerSubject);
  compare('maxBytes', declaration.maxBytes, found.maxBytes);
  compare('maxAgeMs', declaration.maxAgeMs, found.maxAgeMs);
  compare('maxMessageBytes', declaration.maxMessageBytes, found.maxMessageBytes);
  compare('whenFull', declaration.whenFull, found.whenFull);
  compare('duplicateWindowMs', declaration.duplicateWindowMs, found.duplicateWindowMs);
  compare('denyDelete', declaration.denyDelete, found.denyDelete);
  compare('denyPurge', declaration.denyPurge, found.denyPurge);
  compare('replicas', declaration.replicas ?? 1, found.replicas ?? 1);
  return differences;
};

const limit = <K extends string>(name: K, value: number | undefined): { readonly [P in K]?: number } =>
  value === undefined || value <= 0 ? {} : ({ [name]: value } as { [P in K]: number });
