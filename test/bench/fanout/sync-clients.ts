import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { monotonicMs } from './messages.js';
import { type FromSyncClients, SYNC_FLAGS, type ToSyncClients } from './sync-messages.js';

/** One process of flagd.sync clients: messages are counted by their lengths and thrown away, so that servers are what is measured. */
const say = (message: FromSyncClients): void => {
  if (process.connected) process.send?.(message);
};

interface Client {
  readonly session: ClientHttp2Session;
  stream: ClientHttp2Stream | null;
}

const groups = new Map<string, { readonly clients: Client[]; reached: Map<number, number> }>();
const REQUEST = Buffer.alloc(5);

const open = (url: string, client: Client): void => {
  const stream = client.session.request({
    ':method': 'POST',
    ':path': SYNC_FLAGS,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  client.stream = stream;
  stream.on('error', () => {});
  stream.on('trailers', (trailers) => say({ type: 'failed', message: `ended: ${JSON.stringify(trailers)}` }));
  stream.end(REQUEST);
  let nth = 0;
  let head = Buffer.alloc(0);
  let left = 0;
  let length = 0;
  stream.on('data', (part: Buffer) => {
    let at = 0;
    while (at < part.length) {
      if (left === 0) {
        const needed = 5 - head.length;
        head = Buffer.concat([head, part.subarray(at, at + needed)]);
        at += needed;
        if (head.length < 5) return;
        length = head.readUInt32BE(1);
        left = length;
        head = Buffer.alloc(0);
        if (left === 0) {
          nth += 1;
          count(url, nth, length);
          continue;
        }
      }
      const taken = Math.min(left, part.length - at);
      at += taken;
      left -= taken;
      if (left > 0) return;
      nth += 1;
      count(url, nth, length);
    }
  });
};

const count = (url: string, nth: number, bytes: number): void => {
  const group = groups.get(url);
  if (group === undefined) return;
  const reached = (group.reached.get(nth) ?? 0) + 1;
  group.reached.set(nth, reached);
  if (reached === group.clients.length) say({ type: 'reached', url, nth, bytes, lastAt: monotonicMs() });
};

process.on('message', (message: ToSyncClients) => {
  switch (message.type) {
    case 'open': {
      const clients = Array.from({ length: message.count }, (): Client => {
        const session = connect(message.url);
        session.on('error', (error) => say({ type: 'failed', message: String(error) }));
        return { session, stream: null };
      });
      groups.set(message.url, { clients, reached: new Map() });
      for (const client of clients) open(message.url, client);
      return;
    }
    case 'reopen': {
      const group = groups.get(message.url);
      if (group === undefined) return;
      group.reached = new Map();
      for (const client of group.clients) {
        client.stream?.removeAllListeners('data').resume().close(8);
        open(message.url, client);
      }
      return;
    }
    case 'close':
      for (const { clients } of groups.values()) for (const { session } of clients) session.destroy();
      groups.clear();
      say({ type: 'closed' });
  }
});
process.on('disconnect', () => process.exit(0));
