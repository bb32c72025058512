import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

export interface PostOptions {
  readonly url: URL;
  readonly body: string;
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly agent: HttpAgent;
}

/** One kept connection, that does not keep the process alive. */
export const keptConnection = (url: URL): HttpAgent => {
  const options = { keepAlive: true, maxSockets: 1, keepAliveMsecs: 30_000 };
  return url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
};

export const requestOf = (url: URL): typeof httpRequest =>
  url.protocol === 'https:' ? (httpsRequest as typeof httpRequest) : httpRequest;

export const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

/** Posts JSON and reads the answer to its end. Rejects when there is none in time. */
export const postJson = ({ url, body, token, timeoutMs, agent }: PostOptions): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const bytes = Buffer.from(body);
    const request = requestOf(url)(url, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': bytes.length, ...bearer(token) },
    });
    const deadline = setTimeout(() => request.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    deadline.unref();
    request.on('socket', (socket) => socket.unref());
    request.on('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    request.on('response', (response: IncomingMessage) => {
      // The body of an answer is of no use here, but unread it would hold the connection.
      response.resume();
      response.on('error', reject);
      response.on('close', () => {
        clearTimeout(deadline);
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
      });
    });
    request.end(bytes);
  });
