import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type Log, toProblem } from '@headgate/service-kit';

/** Linux takes at most 107 bytes as a socket's address, macOS 103. */
const MAX_SOCKET_PATH = 103;

/** What can be asked through the socket, by `POST` address; each answers with JSON. */
export type LocalRequests = Readonly<Record<string, () => Promise<unknown>>>;

/**
 * Serves whoever can open a socket inside the installation's 0700 folder, that is the user who runs it (and root), who could read
 * every key anyway: so no token is asked for. It is the way in when tokens are lost, or the log that holds them.
 */
export const openLocalSocket = async (
  folder: string,
  requests: LocalRequests,
  log: Log,
): Promise<{ close(): Promise<void> }> => {
  const path = join(folder, 'local.sock');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    log.warn('the path is too long for a socket: commands with --data-dir will not work here', { path });
    return { close: async () => undefined };
  }
  rmSync(path, { force: true });
  const server = createServer((request, answer) => {
    request.resume();
    void serve(requests, request, answer, log);
  });
  await listen(server, path);
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
};

const serve = async (
  requests: LocalRequests,
  request: IncomingMessage,
  answer: ServerResponse,
  log: Log,
): Promise<void> => {
  const { method, url = '' } = request;
  const carryOut = method === 'POST' && Object.hasOwn(requests, url) ? requests[url] : undefined;
  const reply = (status: number, body: unknown): void => {
    answer.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    answer.end(JSON.stringify(body));
  };
  try {
    if (!carryOut)
      return reply(
        404,
        toProblem(Object.assign(new Error(`no ${url} here`), { code: 'not-found' }), '').body,
      );
    log.warn('asked through the local socket', { request: url });
    reply(200, await carryOut());
  } catch (cause) {
    log.error('a request through the local socket failed', { request: url, error: cause });
    // Whoever asks here may know: there is no stranger on this side.
    const { status, body } = toProblem(cause, '');
    const message = cause instanceof Error ? cause.message : String(cause);
    reply(status, { error: { ...body.error, message } });
  }
};

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
