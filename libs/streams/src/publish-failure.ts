import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { errors, RequestError } from '@nats-io/transport-node';
import {
  OutcomeUnknown,
  PublishRefused,
  StreamMismatch,
  type StreamsError,
  Unavailable,
  WrongLastSequence,
} from './errors.js';

/** "expected stream does not match": server code, absent from the client's table. */
const STREAM_NOT_MATCH = 10060;
const UNAVAILABLE = 503;

/** The client's error in our words. Anything not known to mean "not stored" leaves the outcome open. */
export const publishFailure = (subject: string, stream: string, cause: unknown): StreamsError => {
  if (cause instanceof JetStreamApiError) {
    if (
      cause.code === JetStreamApiCodes.StreamWrongLastSequence ||
      cause.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown
    )
      return new WrongLastSequence(`${subject}: ${cause.message}`, { cause });
    if (cause.code === STREAM_NOT_MATCH)
      return new StreamMismatch(`${subject} is kept by another stream than ${stream}`, { cause });
    if (cause.status === UNAVAILABLE)
      return new Unavailable(`${stream} cannot take ${subject} now: ${cause.message}`, { cause });
    return new PublishRefused(`${subject} was refused by ${stream}: ${cause.message}`, { cause });
  }
  if (isNoResponders(cause))
    return new Unavailable(`nobody keeps ${subject}: JetStream or stream ${stream} is away`, { cause });
  if (cause instanceof errors.PermissionViolationError)
    return new PublishRefused(`this connection may not publish ${subject}`, { cause });
  return new OutcomeUnknown(`no answer for ${subject}: ${cause instanceof Error ? cause.message : cause}`, {
    cause,
  });
};

/** The client says "jetstream is not enabled" when nobody answers, as during an election: `cause` has the true reason. */
export const isNoResponders = (error: unknown): boolean =>
  error instanceof Error &&
  ((error instanceof RequestError && error.isNoResponders()) ||
    error instanceof errors.NoRespondersError ||
    (error.cause !== undefined && isNoResponders(error.cause)));
