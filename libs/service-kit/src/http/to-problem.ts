import { ERRORS, type ErrorCode, type Problem } from '@headgate/contracts';
import { isError } from '../log/is-error.js';

export interface Failure {
  readonly status: number;
  readonly body: Problem;
  /** True for a bug or an outage: log it, with its stack. */
  readonly isOurs: boolean;
}

/** Any thrown value as an answer. Says nothing of an unknown error but the correlation id under which it was logged. */
export const toProblem = (thrown: unknown, correlationId: string): Failure => {
  const code = codeOf(thrown);
  const { status, next } = ERRORS[code];
  const details = (thrown as { details?: readonly string[] } | null)?.details;
  const message =
    code === 'internal' ? 'Something went wrong in the server.' : (thrown as Error).message || 'Refused.';
  return {
    status,
    isOurs: status >= 500,
    body: {
      error: {
        code,
        message,
        next,
        ...(Array.isArray(details) && details.length > 0 && code !== 'internal' ? { details } : {}),
        correlationId,
      },
    },
  };
};

const codeOf = (thrown: unknown): ErrorCode => {
  if (!isError(thrown)) return 'internal';
  // CommandRefused, RequestRefused and the adapters' own classes (LogUnavailable …) carry a code of the one table.
  const { code } = thrown as { code?: unknown };
  if (typeof code === 'string' && Object.hasOwn(ERRORS, code)) return code as ErrorCode;
  return codeOfStatus(statusOf(thrown));
};

/** Nest's HttpException and Fastify's errors say a status; for anything else nothing is known. */
const statusOf = (error: Error): number | undefined => {
  const { getStatus, statusCode } = error as { getStatus?: () => number; statusCode?: unknown };
  if (typeof getStatus === 'function') return getStatus.call(error);
  return typeof statusCode === 'number' ? statusCode : undefined;
};

const codeOfStatus = (status: number | undefined): ErrorCode => {
  switch (status) {
    case 401:
      return 'unauthenticated';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 413:
      return 'body-too-large';
    case 429:
      return 'too-many-requests';
    default:
      return status !== undefined && status >= 400 && status < 500 ? 'invalid-input' : 'internal';
  }
};
