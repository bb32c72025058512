import { createServer, type Server } from 'node:net';
import { startSpecServer } from '../../../test/support/nats-server.js';
import { connectStreams } from './connect-streams.js';
import { declareInstallation } from './declare-installation.js';
import { ServerTooOld, StreamMismatch, Unavailable } from './errors.js';

describe('connecting to nats-server', () => {
  it('refuses a server that would ignore settings we rely on', async () => {
    const { server, url } = await speakAs('2.10.27');
    await expect(connectStreams({ url, name: 'spec' })).rejects.toThrow(ServerTooOld);
    await new Promise((resolve) => server.close(resolve));
  });

  it('says what is wrong when nobody listens, and when the password is wrong', async () => {
    await expect(connectStreams({ url: 'nats://127.0.0.1:1', name: 'spec' })).rejects.toThrow(
      /cannot connect to nats-server at nats:\/\/127.0.0.1:1/,
    );
    const server = await startSpecServer({ config: 'authorization { user: control, password: right }' });
    const connect = (password: string) =>
      connectStreams({ url: server.url, user: 'control', password, name: 'spec' });
    await expect(connect('wrong')).rejects.toThrow('user or password is wrong');
    const streams = await connect('right');
    await streams.close();
    await server.remove();
  });

  it('is refused, with a reason, by a server without JetStream', async () => {
    const server = await startSpecServer({ jetstream: false });
    await expect(connectStreams({ url: server.url, name: 'spec' })).rejects.toThrow(Unavailable);
    await server.remove();
  });

  it('knows the domain it stores in, and compares it with the one that answers', async () => {
    const server = await startSpecServer({ domain: 'home' });
    const streams = await connectStreams({ url: server.url, name: 'spec' });
    expect(streams.serverInfo.domain).toBe('home');
    await declareInstallation(streams, { now: 1 });
    const ack = await streams.publish('hg.log.a.b.c', Buffer.from('x'), { expectStream: 'LOG' });
    expect(ack).toEqual({ sequence: 1, duplicate: false });
    // As if the account's wiring had led the message to another installation's LOG.
    Object.assign(streams.serverInfo, { domain: 'elsewhere' });
    await expect(streams.publish('hg.log.a.b.c', Buffer.from('x'), { expectStream: 'LOG' })).rejects.toThrow(
      StreamMismatch,
    );
    await streams.close();
    await server.remove();
  });
});

/** As much of a nats-server as a client needs to be connected. */
const speakAs = (version: string): Promise<{ readonly server: Server; readonly url: string }> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.write(
        `INFO ${JSON.stringify({ server_id: 'x', version, proto: 1, headers: true, max_payload: 1_048_576 })}\r\n`,
      );
      socket.on('data', (chunk) => {
        if (String(chunk).includes('PING')) socket.write('PONG\r\n');
      });
      socket.on('error', () => {});
    });
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        server,
        url: `nats://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
      });
    });
  });
