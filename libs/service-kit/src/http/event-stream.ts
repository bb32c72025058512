import type { FastifyReply } from 'fastify';

export interface EventStream {
  /** False when the client is gone or was cut off because it did not read. */
  send(event: string, data: unknown, id?: string): boolean;
  readonly signal: AbortSignal;
  close(): void;
}

const MAX_BUFFERED_BYTES = 1_048_576;
const HEARTBEAT_MS = 15_000;

/**
 * Takes the reply out of Nest's and Fastify's hands and speaks SSE on it. A client that lets a megabyte pile up is cut off. Ends
 * when the client leaves, when `until` fires (shutdown) or by `close()`.
 */
export const openEventStream = (reply: FastifyReply, until: AbortSignal): EventStream => {
  const ended = new AbortController();
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'keep-alive',
    'x-accel-buffering': 'no',
    'x-correlation-id': reply.request.id,
  });
  raw.write(': headgate\n\n');
  const heartbeat = setInterval(() => raw.write(':\n\n'), HEARTBEAT_MS);
  const close = (): void => {
    if (ended.signal.aborted) return;
    clearInterval(heartbeat);
    until.removeEventListener('abort', close);
    ended.abort();
    raw.end();
  };
  raw.on('close', close);
  raw.on('error', close);
  until.addEventListener('abort', close);
  if (until.aborted) close();
  return {
    signal: ended.signal,
    close,
    send: (event, data, id) => {
      if (ended.signal.aborted) return false;
      if (raw.writableLength > MAX_BUFFERED_BYTES) {
        raw.destroy();
        return false;
      }
      raw.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      return true;
    },
  };
};
