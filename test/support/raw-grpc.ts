import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type SecureClientSessionOptions,
} from 'node:http2';

/** A call as it looks on the wire: its messages as bytes, and the status it ended with. */
export interface RawCall {
  readonly stream: ClientHttp2Stream;
  readonly messages: Buffer[];
  /** `grpc-status` and `grpc-message`, once it has ended. */
  readonly ended: Promise<{
    readonly status: number | null;
    readonly message: string;
    readonly http: number;
  }>;
}

export interface RawGrpc {
  readonly session: ClientHttp2Session;
  call(path: string, body: Uint8Array, headers?: Readonly<Record<string, string>>): RawCall;
  close(): void;
}

/** gRPC without a client library, for what no library would send or show. */
export const openRawGrpc = (url: string, options: SecureClientSessionOptions = {}): RawGrpc => {
  const session = connect(url, options);
  session.on('error', () => {});
  return {
    session,
    call: (path, body, headers = {}) => follow(session, path, body, headers),
    close: () => session.destroy(),
  };
};

/** One uncompressed message. */
export const grpcBody = (message: Uint8Array): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

const follow = (
  session: ClientHttp2Session,
  path: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): RawCall => {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const messages: Buffer[] = [];
  let rest = Buffer.alloc(0);
  stream.on('data', (part: Buffer) => {
    rest = Buffer.concat([rest, part]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      messages.push(rest.subarray(5, end));
      rest = rest.subarray(end);
    }
  });
  const ended = new Promise<Awaited<RawCall['ended']>>((resolve) => {
    let [status, message, http]: [number | null, string, number] = [null, '', 0];
    const read = (given: Record<string, unknown>): void => {
      if (given['grpc-status'] !== undefined) status = Number(given['grpc-status']);
      if (given['grpc-message'] !== undefined) message = decodeURIComponent(String(given['grpc-message']));
    };
    stream.on('response', (given) => {
      http = given[':status'] ?? 0;
      read(given);
    });
    stream.on('trailers', read);
    stream.on('error', () => {});
    stream.on('close', () => resolve({ status, message, http }));
  });
  stream.end(body);
  return { stream, messages, ended };
};
