import { type FastifyReply, type FastifyRequest, InvalidInput, type Log } from '@headgate/service-kit';
import { OfrepRefused } from './ofrep-refused.js';

/**
 * Errors of this door in OFREP's shapes. What Fastify refuses before our code sees it (a body that is no JSON, too large, or of another
 * type) is a request that cannot be parsed: its own words may quote the body, so ours go out.
 */
export const sendOfrepError = (
  log: Log,
  thrown: Error & { readonly statusCode?: number; readonly code?: string },
  request: FastifyRequest,
  reply: FastifyReply,
): void => {
  const refused = thrown instanceof OfrepRefused ? thrown : asRefused(thrown);
  if (refused === null) {
    log.error('request failed', { correlationId: request.id, method: request.method, error: thrown });
    send(reply.code(500), { errorDetails: `The server failed; see its log for ${request.id}.` });
    return;
  }
  const { status, errorCode, message, retryAfterSeconds } = refused;
  if (retryAfterSeconds !== null) reply.header('retry-after', String(retryAfterSeconds));
  const { '*': key } = request.params as { readonly '*'?: string };
  const named = key === undefined || errorCode === null ? {} : { key };
  const coded = errorCode === null ? {} : { errorCode };
  send(reply.code(status), { ...named, ...coded, errorDetails: message });
};

const asRefused = (thrown: Error & { readonly statusCode?: number }): OfrepRefused | null => {
  const { statusCode = 500 } = thrown;
  if (thrown instanceof InvalidInput) return new OfrepRefused(400, 'PARSE_ERROR', thrown.message);
  if (statusCode < 400 || statusCode >= 500) return null;
  switch (statusCode) {
    case 401:
    case 403:
      return new OfrepRefused(statusCode, null, 'This channel needs another token.');
    case 413:
      return new OfrepRefused(400, 'INVALID_CONTEXT', 'The body is too large.');
    case 415:
      return new OfrepRefused(400, 'PARSE_ERROR', 'The body must be application/json.');
    default:
      return new OfrepRefused(400, 'PARSE_ERROR', 'The body is not JSON.');
  }
};

const send = (reply: FastifyReply, body: object): void => {
  reply.header('content-type', 'application/json; charset=utf-8').send(body);
};
