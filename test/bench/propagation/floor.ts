import { createServer } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { connectStreams } from '@headgate/streams';
import type { FromFloor, ToFloor } from './messages.js';

/** The floor of a gateway: what a JetStream consumer gets goes to every open socket as it is, in one write each. */
const sockets = new Set<Socket>();

process.on('message', async ({ natsUrl, stream }: ToFloor) => {
  const streams = await connectStreams({ url: natsUrl, name: 'floor' });
  const server = createServer((request) => {
    const { socket } = request;
    socket.setNoDelay(true);
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n:\n\n');
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1', async () => {
    const { port } = server.address() as AddressInfo;
    process.send?.({ type: 'serving', url: `http://127.0.0.1:${port}/` } satisfies FromFloor);
    for await (const { data } of streams.follow(stream, { from: 'new' })) {
      const bytes = Buffer.concat([Buffer.from('data: '), data, Buffer.from('\n\n')]);
      for (const socket of sockets) socket.write(bytes);
    }
  });
});
process.on('disconnect', () => process.exit(0));
