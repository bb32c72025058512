import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignedChannel } from '../../../../test/support/signed-channel.js';
import { until } from '../../../../test/support/until.js';
import { connectHeadgate } from '../connect-headgate.js';
import { machineEnvironment } from '../environment.js';
import type { Headgate } from '../headgate.js';
import { pollState } from './poll-state.js';

describe('a client whose gateway is behind something that carries no streams', () => {
  let channel: SignedChannel;
  let server: Server;
  let client: Headgate | null;
  let requests: { accept: string | undefined; etag: string | undefined; status: number }[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    channel = new SignedChannel();
    client = null;
    requests = [];
    answer = asStaticFiles;
    server = createServer((request, response) => {
      answer(request, response);
      const { accept, 'if-none-match': etag } = request.headers;
      requests.push({ accept, etag, status: response.statusCode });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await client?.close();
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  });

  /** Whatever is asked for, the state as JSON: a content delivery network, or files. */
  const asStaticFiles = (request: IncomingMessage, response: ServerResponse): void => {
    const etag = `"${channel.head.h.n}"`;
    response.setHeader('etag', etag);
    if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
    else response.setHeader('content-type', 'application/json').end(JSON.stringify(channel.state()));
  };
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connect = (): Headgate => {
    client = connectHeadgate(
      {
        url: url(),
        project: 'shop',
        channel: 'stable',
        root: channel.pin,
        instanceId: 'host-1',
        siteSalt: 'salt',
        telemetry: false,
        pollEveryMs: 1_000,
      },
      { ...machineEnvironment, random: () => 0, variables: {} },
    );
    return client;
  };

  it('polls, and sees changes and kills, at the price of a 304 when there are none', async () => {
    channel.commit(channel.document(1, { defaultVariant: 'on' }));
    const headgate = connect();
    expect(await headgate.ready(10_000)).toBe(true);
    expect(headgate.boolean('flag-1', false)).toBe(true);
    expect(headgate.status()).toMatchObject({ connection: 'polling', flags: 'live', head: { n: 2 } });
    await until('a poll without news', () => requests.some(({ status }) => status === 304));
    channel.commit(channel.document(1, { state: 'DISABLED', killed: { at: 1, why: 'broken' } }));
    await until('the kill', () => headgate.details('flag-1', false).reason === 'DISABLED');
    expect(requests[0]?.accept).toBe('text/event-stream');
    expect(new Set(requests.slice(1).map(({ accept }) => accept))).toEqual(new Set(['application/json']));
    expect(headgate.status().problemCount).toBe(1);
  });

  it('verifies what it polls as it verifies a stream', async () => {
    channel.commit(channel.document(1));
    const headgate = connect();
    await headgate.ready(10_000);
    const forged = { ...channel.state(), documents: [channel.document(1, { defaultVariant: 'on' })] };
    channel.commit(channel.document(2));
    answer = (_request, response) =>
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ ...forged, head: channel.head }));
    await until('a refusal', () => headgate.status().problems.some(({ code }) => code === 'poll-failed'));
    expect(headgate.boolean('flag-1', true)).toBe(false);
    expect(headgate.status().head?.n).toBe(2);
    answer = asStaticFiles;
    await until('the true state', () => headgate.status().head?.n === 3);
  });

  it('goes back to a stream when polls fail, and there is one now', async () => {
    const headgate = connect();
    await headgate.ready(10_000);
    answer = (request, response) => {
      if (request.headers.accept !== 'text/event-stream') response.writeHead(502).end();
      else {
        response.setHeader('content-type', 'text/event-stream');
        response.write(`event: state\ndata: ${JSON.stringify(channel.state())}\n\n`);
      }
    };
    await until('a stream', () => headgate.status().connection === 'connected');
  });

  describe('pollState', () => {
    const poll = (maxBytes = 1_000, timeoutMs = 10_000) =>
      new Promise((resolve) =>
        pollState({ url: new URL(url()), token: 'secret', etag: '"7"', timeoutMs, maxBytes }, resolve),
      );

    it.each<[string, (request: IncomingMessage, response: ServerResponse) => void, object]>([
      [
        'cut off',
        (_q, r) => {
          r.writeHead(200, { 'content-length': '100' });
          r.write('half', () => r.destroy());
        },
        { kind: 'failed' },
      ],
      [
        'too large',
        (_q, r) => r.end('x'.repeat(1_001)),
        { kind: 'failed', message: 'the answer holds more than 1000 bytes' },
      ],
      [
        'a stream',
        (_q, r) => r.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n'),
        { kind: 'failed', status: 200 },
      ],
      [
        'asked to wait',
        (_q, r) => r.writeHead(503, { 'retry-after': '5' }).end(),
        { kind: 'failed', status: 503, retryAfter: '5' },
      ],
      ['moved', (_q, r) => r.writeHead(302, { location: '/' }).end(), { kind: 'failed', status: 302 }],
      ['gone', (q) => q.socket.destroy(), { kind: 'failed' }],
      ['unchanged', (_q, r) => r.writeHead(304).end(), { kind: 'unchanged' }],
      [
        'whole',
        (q, r) => r.setHeader('etag', '"8"').end(q.headers.authorization),
        { kind: 'state', body: 'Bearer secret', etag: '"8"' },
      ],
    ])('says when the answer is %s', async (_what, serve, expected) => {
      answer = serve;
      expect(await poll()).toMatchObject(expected);
    });

    it('does not wait for ever', async () => {
      answer = () => {};
      expect(await poll(1_000, 20)).toEqual({ kind: 'failed', message: 'no whole answer in 20 ms' });
    });
  });
});
