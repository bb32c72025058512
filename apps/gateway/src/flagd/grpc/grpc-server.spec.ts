import { connect as connectSocket } from 'node:net';
import fc from 'fast-check';
import { fuzzRun } from '../../../../../test/support/fuzz-run.js';
import { grpcBody, openRawGrpc } from '../../../../../test/support/raw-grpc.js';
import { selfSigned } from '../../../../../test/support/self-signed.js';
import { until } from '../../../../../test/support/until.js';
import {
  FETCH_ALL,
  FlagdGateway,
  STATUS,
  SYNC_FLAGS,
  stateIn,
  sync,
  syncBody,
  UNAVAILABLE,
} from '../flagd-gateway.fixture.js';

let gateway: FlagdGateway;
beforeEach(async () => {
  gateway = await FlagdGateway.make();
});
afterEach(() => gateway.remove());

describe('the gRPC port', () => {
  it('lets clients ping as often as they like, with no call open', async () => {
    await gateway.start();
    const { session } = gateway.open();
    await new Promise((connected) => session.once('connect', connected));
    let isAway = false;
    session.on('goaway', () => {
      isAway = true;
    });
    for (let i = 0; i < 100; i += 1)
      await new Promise<void>((done, fail) => session.ping((error) => (error ? fail(error) : done())));
    expect([isAway, session.closed]).toEqual([false, false]);
  });

  it('gives up a connection whose other side is silent, and keeps one that answers', async () => {
    await gateway.start({ grpc: { pingEveryMs: 50 } });
    const alive = sync(gateway.open());
    const dead = connectSocket(gateway.port, '127.0.0.1');
    gateway.adopt({ close: () => dead.destroy() });
    // The preface and empty settings, then nothing: no answer to any ping.
    dead.write(
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
      ]),
    );
    dead.resume();
    await new Promise<void>((gone) => dead.once('close', () => gone()));
    await gateway.publish(gateway.channel.document(1, { defaultVariant: 'on' }));
    await until('the change', () => stateIn(alive.messages.at(-1)).flags['flag-1']?.defaultVariant === 'on');
  });

  it('speaks TLS with a certificate, and nothing else then', async () => {
    const files = await selfSigned();
    try {
      await gateway.start({ grpc: { tls: files } });
      const client = openRawGrpc(`https://127.0.0.1:${gateway.port}`, { ca: files.cert });
      gateway.adopt(client);
      expect((await client.call(FETCH_ALL, syncBody()).ended).status).toBe(STATUS.ok);
      expect((await gateway.open().call(FETCH_ALL, syncBody()).ended).status).toBeNull();
    } finally {
      files.remove();
    }
  });

  it('answers what is not gRPC, not one message, compressed or too large, and goes on', async () => {
    await gateway.start();
    const client = gateway.open();
    expect((await client.call(FETCH_ALL, syncBody(), { 'content-type': 'text/plain' }).ended).http).toBe(415);
    expect((await client.call(FETCH_ALL, Buffer.alloc(0)).ended).status).toBe(STATUS.invalid);
    expect((await client.call(FETCH_ALL, Buffer.concat([syncBody(), syncBody()])).ended).status).toBe(
      STATUS.invalid,
    );
    expect((await client.call(FETCH_ALL, Buffer.from([1, 0, 0, 0, 0])).ended).status).toBe(
      STATUS.unimplemented,
    );
    expect((await client.call(FETCH_ALL, grpcBody(Buffer.alloc(65_537))).ended).status).toBe(
      STATUS.exhausted,
    );
    expect((await client.call(FETCH_ALL, syncBody()).ended).status).toBe(STATUS.ok);
  });

  it.each([
    ['lets go of the oldest of too many unfinished requests, and answers the rest', 1_048_576, true],
    ['keeps unfinished requests that are not too many', 67_108_864, false],
  ])('%s', async (_, maxUnfinishedBytes, isOver) => {
    await gateway.start({ grpc: { maxUnfinishedBytes } });
    const body = syncBody('x'.repeat(60_000));
    const open = Array.from({ length: 30 }, () => {
      const client = gateway.open();
      const stream = client.session.request(
        { ':method': 'POST', ':path': FETCH_ALL, 'content-type': 'application/grpc', te: 'trailers' },
        { endStream: false },
      );
      stream.on('error', () => {});
      const answer = { status: null as unknown, stream };
      stream.on('response', (headers) => {
        answer.status = headers['grpc-status'];
      });
      stream.resume();
      return answer;
    });
    const statuses = () => open.map(({ status }) => status).filter((status) => status !== null);
    await Promise.all(
      open.map(({ stream }) => new Promise((sent) => stream.write(body.subarray(0, -1), sent))),
    );
    if (isOver) await until('those that go', () => statuses().length >= 14);
    expect((await gateway.open().call(FETCH_ALL, syncBody()).ended).status).toBe(STATUS.ok);
    expect(new Set(statuses())).toEqual(new Set(isOver ? [String(STATUS.exhausted)] : []));
    expect(statuses().length < open.length).toBe(true);
    // The whole request is still good for those that were kept.
    for (const { stream, status } of open) if (status === null) stream.end(body.subarray(-1));
    const isAnswered = () => statuses().filter((status) => status === String(STATUS.invalid)).length > 0;
    await until('the rest', () => isAnswered() && statuses().length === open.length);
  });

  const from = (localAddress: string) =>
    gateway.adopt(openRawGrpc(`http://127.0.0.1:${gateway.port}`, { localAddress } as object));

  it('keeps one address from taking every place, of streams at any door and of connections', async () => {
    await gateway.start({ maxClients: 4, maxClientsPerAddress: 2 });
    const client = gateway.open();
    const [first, second] = [sync(client), sync(client)];
    await until('two streams', () => first.messages.length + second.messages.length === 2);
    expect((await sync(client).ended).status).toBe(UNAVAILABLE);
    const sse = await fetch(`${gateway.url}/flags/shop/stable/`, {
      headers: { accept: 'text/event-stream' },
    });
    expect(sse.status).toBe(429);
    const other = sync(from('127.0.0.2'));
    await until('another address', () => other.messages.length === 1);
    expect((await gateway.open().call(FETCH_ALL, syncBody()).ended).status).toBe(STATUS.ok);
    // A third connection is closed before anything is read from it.
    expect((await gateway.open().call(FETCH_ALL, syncBody()).ended).http).toBe(0);
    expect((await from('127.0.0.2').call(FETCH_ALL, syncBody()).ended).status).toBe(STATUS.ok);
    first.stream.close();
    await until('a place that was given back', async () => {
      const again = sync(client);
      await until('an answer', () => again.messages.length === 1 || again.stream.closed);
      return again.messages.length === 1;
    });
  });

  it('counts calls of each address, and tells streams what their clients retry', async () => {
    await gateway.start({ requestsPerSecond: 1, now: () => 1_000_000 });
    const client = gateway.open();
    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await client.call(FETCH_ALL, syncBody()).ended).status);
    expect(statuses).toEqual([STATUS.ok, STATUS.ok, STATUS.exhausted]);
    expect((await client.call('/flagd.evaluation.v1.Service/ResolveAll', syncBody()).ended).status).toBe(
      STATUS.exhausted,
    );
    expect((await sync(client).ended).status).toBe(UNAVAILABLE);
    expect((await from('127.0.0.2').call(FETCH_ALL, syncBody()).ended).status).toBe(STATUS.ok);
  });

  it('takes any request without harm', async () => {
    await gateway.start();
    const client = gateway.open();
    const method = fc.constantFrom(
      FETCH_ALL,
      SYNC_FLAGS,
      ...['ResolveBoolean', 'ResolveObject', 'ResolveAll'].map(
        (name) => `/flagd.evaluation.v1.Service/${name}`,
      ),
    );
    const field = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.uint8Array({ maxLength: 60 }));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(field, { maxLength: 5 })
        .map((fields) =>
          Buffer.concat(fields.map(([tag, content]) => Buffer.from([tag, content.length, ...content]))),
        ),
      fc.integer({ min: 1, max: 400 }).map(nested),
    );
    await fc.assert(
      fc.asyncProperty(method, bytes, fc.boolean(), async (path, body, isFramed) => {
        const call = client.call(path, isFramed ? grpcBody(body) : body, { 'grpc-timeout': '20m' });
        const { status, http } = await call.ended;
        expect(http).toBe(200);
        expect(Object.values(STATUS)).toContain(status);
      }),
      fuzzRun('requests to the gRPC port', 300),
    );
    expect((await client.call(FETCH_ALL, syncBody()).ended).status).toBe(STATUS.ok);
    expect(gateway.lines.filter((line) => line.includes('"error"'))).toEqual([]);
  }, 60_000);
});

/** A context of lists in lists, so many deep. */
const nested = (depth: number): Buffer => {
  let value = Buffer.from([0x20, 1]);
  const within = (tag: number, content: Buffer) => {
    const length =
      content.length < 128 ? [content.length] : [(content.length & 0x7f) | 0x80, content.length >> 7];
    return Buffer.concat([Buffer.from([tag, ...length]), content]);
  };
  for (let i = 0; i < depth; i += 1) value = within(0x32, within(0x0a, value));
  return within(0x12, within(0x0a, Buffer.concat([within(0x0a, Buffer.from('k')), within(0x12, value)])));
};
