import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StreamRequest {
  readonly lastEventId: string | null;
  readonly authorization: string | null;
  /** Sends one event; returns false when the client is gone. */
  send(event: string, data: unknown, id?: string): boolean;
  raw(bytes: string | Buffer): void;
  end(): void;
  readonly isOpen: boolean;
}

export interface ScriptedGateway {
  readonly url: string;
  readonly streams: readonly StreamRequest[];
  readonly reports: readonly ReceivedReport[];
  close(): Promise<void>;
}

export interface ReceivedReport {
  readonly body: string;
  readonly authorization: string | null;
}

export interface Script {
  /** What every new stream is told. May answer itself and return false. */
  onStream?(stream: StreamRequest, response: ServerResponse, nth: number): void;
  /** Status for a report, `hang up` in place of an answer. */
  onReport?(body: string, nth: number): { status: number; headers?: Record<string, string> } | 'hang up';
}

/** An HTTP server that does exactly what a spec says: a gateway and collector that may be late, broken or hostile. */
export const startScriptedGateway = async (script: Script): Promise<ScriptedGateway> => {
  const streams: StreamRequest[] = [];
  const reports: ReceivedReport[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') return takeReport(request, response);
    const stream = streamOf(request, response);
    streams.push(stream);
    script.onStream?.(stream, response, streams.length);
  });
  const takeReport = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    reports.push({ body, authorization: request.headers.authorization ?? null });
    const answer = script.onReport?.(body, reports.length) ?? { status: 202 };
    if (answer === 'hang up') request.socket.destroy();
    else response.writeHead(answer.status, answer.headers).end('{"accepted":1}');
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    streams,
    reports,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const streamOf = (request: IncomingMessage, response: ServerResponse): StreamRequest => {
  const open = (): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  };
  return {
    lastEventId: (request.headers['last-event-id'] as string | undefined) ?? null,
    authorization: request.headers.authorization ?? null,
    send: (event, data, id) => {
      open();
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      response.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${text}\n\n`);
      return !response.destroyed;
    },
    raw: (bytes) => {
      open();
      response.write(bytes);
    },
    end: () => response.destroy(),
    get isOpen() {
      return !response.destroyed && !response.closed;
    },
  };
};
