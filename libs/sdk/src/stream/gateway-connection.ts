import type { ClientRequest, IncomingMessage } from 'node:http';
import { bearer, requestOf } from '../http/request.js';
import { type ServerSentEvent, SseParser } from './sse-parser.js';

export interface ConnectionEnd {
  readonly code:
    | 'closed'
    | 'ended'
    /** No connection. */
    | 'unreachable'
    /** A connection, and no answer on it. */
    | 'unanswered'
    | 'refused'
    /** A good answer that is no event stream. */
    | 'not-a-stream'
    /** An event stream without a first event. */
    | 'mute'
    | 'silent'
    | 'bad-answer'
    | 'distrusted';
  readonly message: string;
  readonly status?: number;
  readonly retryAfter?: string;
}

export interface ConnectionHandlers {
  onOpen(): void;
  onRetry(delayMs: number): void;
  /** A message ends the connection: the source cannot be used as it is. */
  onEvent(event: ServerSentEvent): string | null;
  /** Exactly once. */
  onEnd(end: ConnectionEnd): void;
}

export interface ConnectionOptions {
  readonly url: URL;
  readonly token: string | undefined;
  readonly lastEventId: string | null;
  readonly connectTimeoutMs: number;
  /** Longer without an event after the answer, and the connection counts as one that cannot carry a stream. */
  readonly firstEventMs: number;
  /** Longer without a byte, heartbeats included, and the connection counts as dead. */
  readonly silenceMs: number;
  readonly maxEventBytes: number;
}

/** One connection to a gateway's event stream. Does not keep the process alive. Returns what ends it. */
export const openGatewayConnection = (
  options: ConnectionOptions,
  handlers: ConnectionHandlers,
): (() => void) => {
  let hasEnded = false;
  const end = (ending: ConnectionEnd): void => {
    if (hasEnded) return;
    hasEnded = true;
    clearTimeout(deadline);
    request.destroy();
    handlers.onEnd(ending);
  };
  const request = requestOf(options.url)(options.url, {
    // A stream holds its socket for hours: a pool of its own would only keep it after that.
    agent: false,
    headers: {
      accept: 'text/event-stream',
      'cache-control': 'no-store',
      ...bearer(options.token),
      ...(options.lastEventId === null ? {} : { 'last-event-id': options.lastEventId }),
    },
  });
  const deadline = setTimeout(
    () => end({ code: 'unanswered', message: `no answer in ${options.connectTimeoutMs} ms` }),
    options.connectTimeoutMs,
  );
  deadline.unref();
  request.on('socket', (socket) => {
    socket.unref();
    socket.setNoDelay(true);
  });
  request.on('error', (error) => end({ code: 'unreachable', message: error.message }));
  request.on('response', (response) => {
    clearTimeout(deadline);
    const refusal = refusalOf(response);
    if (refusal) end(refusal);
    else readStream(request, response, { options, handlers, end });
  });
  request.end();
  return () => end({ code: 'closed', message: 'closed by this client' });
};

const refusalOf = (response: IncomingMessage): ConnectionEnd | null => {
  const status = response.statusCode ?? 0;
  const type = response.headers['content-type'] ?? '';
  if (status === 200 && type.startsWith('text/event-stream')) return null;
  const retryAfter = response.headers['retry-after'];
  return {
    code: status === 200 ? 'not-a-stream' : 'refused',
    message: status === 200 ? `expected an event stream, got ${type || 'no content type'}` : `HTTP ${status}`,
    status,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
};

interface Reading {
  readonly options: ConnectionOptions;
  readonly handlers: ConnectionHandlers;
  readonly end: (ending: ConnectionEnd) => void;
}

const readStream = (
  request: ClientRequest,
  response: IncomingMessage,
  { options, handlers, end }: Reading,
): void => {
  let isDistrusted = false;
  const parser = new SseParser(
    {
      onRetry: handlers.onRetry,
      onEvent: (event) => {
        if (isDistrusted) return;
        clearTimeout(deadline);
        const objection = handlers.onEvent(event);
        if (objection === null) return;
        isDistrusted = true;
        end({ code: 'distrusted', message: objection });
      },
    },
    options.maxEventBytes,
  );
  const deadline = setTimeout(
    () => end({ code: 'mute', message: `no event in ${options.firstEventMs} ms` }),
    options.firstEventMs,
  );
  deadline.unref();
  request.setTimeout(options.silenceMs, () =>
    end({ code: 'silent', message: `no byte in ${options.silenceMs} ms` }),
  );
  response.on('error', (error) => end({ code: 'ended', message: error.message }));
  response.on('close', () => {
    clearTimeout(deadline);
    end({ code: 'ended', message: 'the gateway ended the stream' });
  });
  handlers.onOpen();
  response.on('data', (chunk: Buffer) => {
    try {
      parser.push(chunk);
    } catch (error) {
      end({ code: 'bad-answer', message: (error as Error).message });
    }
  });
};
