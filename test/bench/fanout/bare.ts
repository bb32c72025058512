import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FromBare, ToBare } from './messages.js';

/** The floor: Node's `http` holding as many answers open, and one write of bytes made before to each of their sockets. */
const answers = new Set<ServerResponse>();

const server = createServer((_, answer) => {
  answer.useChunkedEncodingByDefault = false;
  answer.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' });
  answer.write(':\n\n');
  answer.socket?.setNoDelay(true);
  answers.add(answer);
  answer.once('close', () => answers.delete(answer));
});
server.requestTimeout = 0;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'serving', url: `http://127.0.0.1:${port}/` } satisfies FromBare);
});

process.on('message', ({ bytes }: ToBare) => {
  const encoded = Buffer.from(bytes, 'latin1');
  for (const { socket } of answers) socket?.write(encoded);
});
process.on('disconnect', () => process.exit(0));
