import {
  EVENT_SCHEMAS,
  type EventEnvelope,
  eventEnvelope,
  isEventType,
  type LogEvent,
  type LogPosition,
} from '@headgate/contracts';
import type { StoredMessage } from '@headgate/streams';
import { checkEvent } from '@headgate/trust';
import { EventUnreadable } from './errors.js';

/** Parses a message of LOG as far as the envelope, which every release can read. Throws `EventUnreadable`. */
export const readEnvelope = (message: StoredMessage): EventEnvelope => {
  const [, , project = '', kind, aggregateId] = message.subject.split('.');
  const refuse = (position: number | null, why: string, cause?: unknown) =>
    new EventUnreadable(message.sequence, project, position, why, { cause });
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(message.data));
  } catch (cause) {
    throw refuse(null, 'it is not JSON in UTF-8', cause);
  }
  const parsed = eventEnvelope.safeParse(json);
  if (!parsed.success) throw refuse(positionOf(json), `it is not an event: ${firstIssue(parsed.error)}`);
  const envelope = parsed.data;
  if (envelope.project !== project || envelope.kind !== kind || envelope.aggregateId !== aggregateId)
    throw refuse(envelope.position, `it does not belong on subject ${message.subject}`);
  return envelope;
};

/**
 * The whole event, checked against the one before it in its project (`undefined`: not known here, so only the event itself is
 * checked). Digests are taken over what was written, before a schema adds defaults.
 */
export const readEvent = (
  message: StoredMessage,
  envelope: EventEnvelope,
  previous: LogPosition | null | undefined,
): LogEvent => {
  const refuse = (why: string) =>
    new EventUnreadable(message.sequence, envelope.project, envelope.position, why);
  const wrong = checkEvent(envelope, previous === undefined ? positionBefore(envelope) : previous);
  if (wrong !== null) throw refuse(wrong);
  if (!isEventType(envelope.type))
    throw refuse(`this release does not know the type ${envelope.type}: upgrade it`);
  // Redacted: the envelope is all that is left.
  if (envelope.salt === null) return envelope as LogEvent;
  const data = EVENT_SCHEMAS[envelope.type].safeParse(envelope.data);
  if (!data.success) throw refuse(`its data is not a ${envelope.type}: ${firstIssue(data.error)}`);
  return { ...envelope, data: data.data } as LogEvent;
};

const decoder = new TextDecoder('utf-8', { fatal: true });

const positionBefore = (envelope: EventEnvelope): LogPosition | null =>
  envelope.position === 1
    ? null
    : { epoch: envelope.epoch, position: envelope.position - 1, hash: envelope.prevHash };

const positionOf = (json: unknown): number | null => {
  const position = (json as { position?: unknown } | null)?.position;
  return typeof position === 'number' ? position : null;
};

const firstIssue = (error: {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}): string => {
  const issue = error.issues[0];
  return issue === undefined ? 'unknown' : `${issue.path.map(String).join('.') || 'value'}: ${issue.message}`;
};
