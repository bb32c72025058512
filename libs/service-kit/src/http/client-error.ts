import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { InvalidInput } from './input-errors.js';
import { toProblem } from './to-problem.js';

const ANSWERS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not come to its end in time.'],
  HPE_HEADER_OVERFLOW: [431, 'The headers of the request are too large.'],
};

/** What never became a request (no HTTP, headers too large or too slow, a body that does not end) gets a problem, and loses its connection. */
export const answerClientError =
  (newId: () => string) =>
  (error: Error & { readonly code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const [status, message] = ANSWERS[error.code ?? ''] ?? [400, 'The request is not HTTP.'];
    const body = JSON.stringify(toProblem(new InvalidInput(message), newId()).body);
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ];
    if (socket.writable) socket.write([...head, '', body].join('\r\n'));
    socket.destroy(error);
  };
