import type { IncomingMessage } from 'node:http';
import { bearer, requestOf } from '../http/request.js';

export interface PollOptions {
  readonly url: URL;
  readonly token: string | undefined;
  /** Of the state taken last; null asks for the whole state. */
  readonly etag: string | null;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export type PollAnswer =
  | { readonly kind: 'state'; readonly body: string; readonly etag: string | null }
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly status?: number;
      readonly retryAfter?: string;
    };

/** One `GET` of the whole state. `onAnswer` is called exactly once, unless what this returns is called first. Keeps no process alive. */
export const pollState = (options: PollOptions, onAnswer: (answer: PollAnswer) => void): (() => void) => {
  let isSettled = false;
  const settle = (answer: PollAnswer | null): void => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(deadline);
    request.destroy();
    if (answer !== null) onAnswer(answer);
  };
  const fail = (message: string): void => settle({ kind: 'failed', message });
  const request = requestOf(options.url)(options.url, {
    agent: false,
    headers: {
      accept: 'application/json',
      ...bearer(options.token),
      ...(options.etag === null ? {} : { 'if-none-match': options.etag }),
    },
  });
  const deadline = setTimeout(() => fail(`no whole answer in ${options.timeoutMs} ms`), options.timeoutMs);
  deadline.unref();
  request.on('socket', (socket) => socket.unref());
  request.on('error', (error) => fail(error.message));
  request.on('response', (response) => {
    const refusal = refusalOf(response, options.etag);
    if (refusal !== null) settle(refusal);
    else readBody(response, options.maxBytes, settle);
  });
  request.end();
  return () => settle(null);
};

const refusalOf = (response: IncomingMessage, etag: string | null): PollAnswer | null => {
  const status = response.statusCode ?? 0;
  if (status === 304 && etag !== null) return { kind: 'unchanged' };
  const type = response.headers['content-type'] ?? '';
  // Some object stores name no type; an event stream never ends.
  if (status === 200 && !type.startsWith('text/event-stream')) return null;
  const retryAfter = response.headers['retry-after'];
  return {
    kind: 'failed',
    message: status === 200 ? `expected a state, got ${type}` : `HTTP ${status} to a poll`,
    status,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
};

const readBody = (
  response: IncomingMessage,
  maxBytes: number,
  settle: (answer: PollAnswer) => void,
): void => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) settle({ kind: 'failed', message: `the answer holds more than ${maxBytes} bytes` });
    else chunks.push(chunk);
  });
  response.on('error', (error) => settle({ kind: 'failed', message: error.message }));
  response.on('close', () => {
    if (!response.complete) settle({ kind: 'failed', message: 'the answer was cut off' });
    else
      settle({
        kind: 'state',
        body: Buffer.concat(chunks, bytes).toString('utf8'),
        etag: response.headers.etag ?? null,
      });
  });
};
