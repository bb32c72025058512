import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { type FromSyncBare, SYNC_FLAGS, type ToSyncBare } from './sync-messages.js';

/** The floors: writes of one message made before to every open stream, by Node's http2 alone, and by grpc-js. */
let [message, frame] = [Buffer.alloc(0), Buffer.alloc(5)];

const serving = (port: number): void => {
  process.send?.({ type: 'serving', url: `http://127.0.0.1:${port}` } satisfies FromSyncBare);
};
const take = (state: string): void => {
  message = Buffer.from(state, 'latin1');
  frame = Buffer.allocUnsafe(5 + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, 5);
};

const serveHttp2 = (): (() => void) => {
  const streams = new Set<ServerHttp2Stream>();
  const server = createServer({ maxSessionMemory: 1_024 });
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    stream.once('close', () => streams.delete(stream));
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(frame);
    streams.add(stream);
  });
  server.listen(0, '127.0.0.1', () => serving((server.address() as AddressInfo).port));
  return () => {
    for (const stream of streams) stream.write(frame);
  };
};

const serveGrpcJs = (): (() => void) => {
  const streams = new Set<ServerWritableStream<Buffer, Buffer>>();
  const raw = (bytes: Buffer): Buffer => bytes;
  const server = new Server();
  const method = {
    path: SYNC_FLAGS,
    requestStream: false,
    responseStream: true,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  };
  server.addService(
    { SyncFlags: method },
    {
      SyncFlags: (call: ServerWritableStream<Buffer, Buffer>) => {
        call.on('error', () => {});
        call.on('cancelled', () => streams.delete(call));
        call.write(message);
        streams.add(call);
      },
    },
  );
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, port) => serving(port));
  return () => {
    for (const stream of streams) stream.write(message);
  };
};

const write = process.argv[2] === 'grpc-js' ? serveGrpcJs() : serveHttp2();
process.on('message', ({ state }: ToSyncBare) => {
  take(state);
  write();
});
process.on('disconnect', () => process.exit(0));
