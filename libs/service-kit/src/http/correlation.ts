import type { IncomingMessage } from 'node:http';

const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,100}$/;

/** The caller's `X-Correlation-Id` when it is harmless, else a new one. */
export const correlationIdOf =
  (newId: () => string) =>
  (request: Pick<IncomingMessage, 'headers'>): string => {
    const given = request.headers['x-correlation-id'];
    return typeof given === 'string' && CORRELATION_ID.test(given) ? given : newId();
  };
