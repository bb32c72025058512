import type { FastifyInstance, FastifyReply, FastifyRequest } from '@headgate/service-kit';

const EXPOSED = 'etag, retry-after';
const MAX_AGE_SECONDS = 7_200;
/** Names of headers, as a browser lists those that a request would carry. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+){0,50}$/;

/** What a browser on `origin` is told; empty when pages of it may not read the answer. */
export const corsHeaders = (
  allowed: readonly string[],
  origin: string | undefined,
): Readonly<Record<string, string>> => {
  if (allowed.length === 0) return {};
  const exposed = { 'access-control-expose-headers': EXPOSED };
  if (allowed.includes('*')) return { 'access-control-allow-origin': '*', ...exposed };
  const isAllowed = origin !== undefined && allowed.includes(origin);
  return { vary: 'origin', ...(isAllowed ? { 'access-control-allow-origin': origin, ...exposed } : {}) };
};

/**
 * Answers the preflights of a scope and marks every answer in it, errors included. No credentials: nothing here depends on a
 * cookie, and a token in a header is the page's own.
 */
export const allowOrigins = (scope: FastifyInstance, allowed: readonly string[]): void => {
  scope.addHook('onRequest', (request, reply, done) => {
    reply.headers(corsHeaders(allowed, request.headers.origin));
    done();
  });
};

/** For `OPTIONS` routes of a scope that `allowOrigins` marks. */
export const answerPreflight = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const wanted = request.headers['access-control-request-headers'];
  if (typeof wanted === 'string' && wanted.length <= 2_000 && HEADER_NAMES.test(wanted))
    reply.header('access-control-allow-headers', wanted);
  return reply
    .header('access-control-allow-methods', 'GET, POST')
    .header('access-control-max-age', String(MAX_AGE_SECONDS))
    .code(204)
    .send();
};
