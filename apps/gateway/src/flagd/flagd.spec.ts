import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary, fromJson, type JsonObject, toBinary, toJson } from '@bufbuild/protobuf';
import { STREAMS } from '@headgate/contracts';
import { Log, type RunningService, runService } from '@headgate/service-kit';
import { declareInstallation, openMemoryStreams, type Streams } from '@headgate/streams';
import fc from 'fast-check';
import { fuzzRun } from '../../../../test/support/fuzz-run.js';
import { grpcBody, openRawGrpc, type RawCall, type RawGrpc } from '../../../../test/support/raw-grpc.js';
import { selfSigned } from '../../../../test/support/self-signed.js';
import { SignedChannel } from '../../../../test/support/signed-channel.js';
import { until } from '../../../../test/support/until.js';
import { GatewayModule, type GatewayOptions } from '../index.js';
import { EVALUATION_V1, EVALUATION_V2, SYNC } from './proto/flagd-messages.js';

const SYNC_FLAGS = '/flagd.sync.v1.FlagSyncService/SyncFlags';
const FETCH_ALL = '/flagd.sync.v1.FlagSyncService/FetchAllFlags';
const STATUS = { ok: 0, unknown: 2, invalid: 3, deadline: 4, notFound: 5, exhausted: 8, unimplemented: 12 };
const [UNAVAILABLE, DATA_LOSS] = [14, 15];

let streams: Streams;
let channel: SignedChannel;
let service: RunningService | null;
let clients: RawGrpc[];
let sockets: Socket[];
let lines: string[];
let port: number;

beforeEach(async () => {
  streams = openMemoryStreams({ now: Date.now });
  await declareInstallation(streams, { now: Date.now() });
  channel = new SignedChannel();
  channel.commit(channel.document(1), channel.document(2, { defaultVariant: 'on' }));
  await channel.publishAll(streams);
  [service, clients, sockets, lines] = [null, [], [], []];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const client of clients) client.close();
  await service?.close();
  await streams.close();
});

type Changes = Partial<Omit<GatewayOptions, 'grpc'>> & { readonly grpc?: Partial<GatewayOptions['grpc']> };

const start = async ({ grpc, ...options }: Changes = {}, isServed = true): Promise<RunningService> => {
  const log = new Log({
    service: 'gateway',
    level: 'warn',
    now: Date.now,
    write: (line) => lines.push(line),
  });
  const module = GatewayModule.register({
    streams,
    sources: [{ root: 'own', stream: STREAMS.flags, pin: channel.pin }],
    dataDir: null,
    now: Date.now,
    random: () => 0,
    newId: () => 'id',
    ...options,
    grpc: {
      host: '127.0.0.1',
      port: 0,
      tls: null,
      ...grpc,
      onListening: (listening) => {
        port = listening;
      },
    },
  });
  const started = await runService({ name: 'gateway', log, modules: [module] });
  service = started;
  if (isServed) await until('the channel', async () => (await fetch(`${started.url}/flags/shop/stable/`)).ok);
  return started;
};
const open = (): RawGrpc => {
  const client = openRawGrpc(`http://127.0.0.1:${port}`);
  clients.push(client);
  return client;
};
const publish = (...documents: Parameters<SignedChannel['commit']>) =>
  channel.publishCommit(streams, channel.commit(...documents));

const syncBody = (selector = ''): Buffer =>
  grpcBody(toBinary(SYNC.SyncFlagsRequest, fromJson(SYNC.SyncFlagsRequest, { selector })));
const stateIn = (
  message: Buffer | undefined,
): { flags: Record<string, JsonObject>; metadata: JsonObject } => {
  if (message === undefined) throw new Error('no message');
  const { flagConfiguration } = toJson(
    SYNC.SyncFlagsResponse,
    fromBinary(SYNC.SyncFlagsResponse, message),
  ) as JsonObject;
  return JSON.parse(String(flagConfiguration));
};
/** A message without any flags. */
const EMPTY = Buffer.concat([Buffer.from([0x0a, 12]), Buffer.from('{"flags":{}}')]);
const sync = (client: RawGrpc, selector = '', headers: Record<string, string> = {}): RawCall =>
  client.call(SYNC_FLAGS, syncBody(selector), headers);

const resolve = async (
  client: RawGrpc,
  version: 'v1' | 'v2',
  kind: 'Boolean' | 'String' | 'Float' | 'Int' | 'Object',
  flagKey: string,
  context: JsonObject = {},
): Promise<JsonObject | number> => {
  const messages = version === 'v1' ? EVALUATION_V1 : EVALUATION_V2;
  const request = fromJson(messages[`Resolve${kind}Request`], { flagKey, context });
  const path = `/flagd.evaluation.${version}.Service/Resolve${kind}`;
  const call = client.call(path, grpcBody(toBinary(messages[`Resolve${kind}Request`], request)));
  const { status } = await call.ended;
  const response = messages[`Resolve${kind}Response`];
  return status === 0
    ? (toJson(response, fromBinary(response, call.messages[0]!)) as JsonObject)
    : (status ?? -1);
};

describe('flagd.sync', () => {
  it('sends the whole state at once, and again for each change', async () => {
    await start();
    const call = sync(open(), 'flagSetId=shop/stable');
    await until('the state', () => call.messages.length === 1);
    expect(stateIn(call.messages[0])).toMatchObject({
      metadata: { flagSetId: 'shop/stable' },
      flags: { 'flag-1': { defaultVariant: 'off' }, 'flag-2': { defaultVariant: 'on' } },
    });
    await publish(channel.document(1, { defaultVariant: 'on' }));
    await until('the change', () => stateIn(call.messages.at(-1)).flags['flag-1']?.defaultVariant === 'on');
    await publish({ flagId: channel.document(2).flagId, ended: true });
    await until('the end', () => stateIn(call.messages.at(-1)).flags['flag-2'] === undefined);
  });

  it('takes the selector in each of its forms, the header before the field, and no selector for the only channel', async () => {
    await start();
    const client = open();
    const statusOf = async (field: string, header?: string) => {
      const headers: Record<string, string> = header === undefined ? {} : { 'flagd-selector': header };
      const call = client.call(FETCH_ALL, syncBody(field), headers);
      const { status, message } = await call.ended;
      return [status, message, call.messages.length] as const;
    };
    for (const selector of ['flagSetId=shop/stable', 'source=shop/stable', 'shop/stable', '', ' '])
      expect(await statusOf(selector)).toEqual([STATUS.ok, '', 1]);
    expect(await statusOf('nonsense', 'flagSetId=shop/stable')).toEqual([STATUS.ok, '', 1]);
    expect((await statusOf('shop/stable', 'nonsense'))[0]).toBe(STATUS.invalid);
    for (const selector of ['nonsense', 'flagSetId=', 'a=b/c', 'shop/stable/x', 'Shop/ä'])
      expect(await statusOf(selector)).toMatchObject([
        STATUS.invalid,
        expect.stringContaining('flagSetId=<project>'),
        0,
      ]);
    expect((await statusOf('shop/none'))[0]).toBe(STATUS.notFound);
  });

  it('asks which channel when there are several, and names some', async () => {
    const other = new SignedChannel({ channel: 'candidate' });
    await other.publishAll(streams);
    const sources = [channel, other].map(({ pin }, i) => ({ root: `r${i}`, stream: STREAMS.flags, pin }));
    const { url } = await start({ sources });
    await until('the other', async () => (await fetch(`${url}/flags/shop/candidate/`)).ok);
    const { status, message } = await sync(open()).ended;
    expect(status).toBe(STATUS.invalid);
    expect(message).toContain('flagSetId=shop/candidate or flagSetId=shop/stable');
  });

  it('answers UNAVAILABLE, which clients try again, while its channels are not all known', async () => {
    await start({ streams: new Promise(() => {}) }, false);
    const client = open();
    for (const selector of ['', 'shop/stable'])
      expect((await sync(client, selector).ended).status).toBe(UNAVAILABLE);
    expect((await sync(client, 'nonsense').ended).status).toBe(STATUS.invalid);
  });

  it('does not take clients back to the copy on disk: they wait for what is newer, unless that is away for long', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'hg-flagd-'));
    try {
      const first = await start({ dataDir });
      await until('the copy', () => existsSync(join(dataDir, 'own', 'shop.stable.state.json')));
      await first.close();
      await publish(channel.document(2, { state: 'DISABLED', killed: { at: 1, why: 'broken' } }));
      let comeBack: (back: Streams) => void = () => {};
      const away = new Promise<Streams>((resolve) => {
        comeBack = resolve;
      });
      const second = await start({ dataDir, streams: away });
      expect((await sync(open()).ended).status).toBe(UNAVAILABLE);
      expect((await open().call(FETCH_ALL, syncBody()).ended).status).toBe(UNAVAILABLE);
      comeBack(streams);
      const call = await until('a stream', async () => {
        const asked = sync(open());
        const isServed = until('a state', () => asked.messages.length > 0);
        return (await Promise.race([isServed, asked.ended.then(() => false)])) ? asked : null;
      });
      expect(stateIn(call.messages[0]).flags['flag-2']?.state).toBe('DISABLED');
      await second.close();
      await start({ dataDir, streams: new Promise(() => {}), flagdCatchUpMs: 0 });
      const later = sync(open());
      await until('the copy', () => later.messages.length === 1);
    } finally {
      await service?.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('refuses GetMetadata as not implemented, which Java and Python clients go on from', async () => {
    await start();
    const client = open();
    const path = '/flagd.sync.v1.FlagSyncService/GetMetadata';
    expect((await client.call(path, grpcBody(Buffer.alloc(0))).ended).status).toBe(STATUS.unimplemented);
    expect((await client.call('/x.Y/Z', grpcBody(Buffer.alloc(0))).ended).status).toBe(STATUS.unimplemented);
  });

  it('ends no stream with OK: not at its deadline, not when the gateway closes', async () => {
    const { close } = await start();
    const client = open();
    const bounded = sync(client, '', { 'grpc-timeout': '50m' });
    expect((await bounded.ended).status).toBe(STATUS.deadline);
    const call = sync(client);
    const events = client.call('/flagd.evaluation.v2.Service/EventStream', grpcBody(Buffer.alloc(0)));
    await until('both', () => call.messages.length === 1 && events.messages.length === 1);
    service = null;
    await close();
    expect((await call.ended).status).toBe(UNAVAILABLE);
    expect((await events.ended).status).toBe(UNAVAILABLE);
    expect(typesOf(events)).toEqual(['provider_ready', 'provider_shutdown']);
  });

  it('lets nobody wait for a client that does not read, and sends it the newest state when it does again', async () => {
    await start();
    const padding = 'x'.repeat(100_000);
    await publish(channel.document(3, { variants: { big: padding }, defaultVariant: 'big' }));
    const stalled = sync(open());
    stalled.stream.pause();
    const call = sync(open());
    await until('a state', () => call.messages.length > 0);
    for (let i = 0; i < 50; i += 1) {
      const before = call.messages.length;
      await publish(channel.document(4, { variants: { v: `${i}` }, defaultVariant: 'v' }));
      await until('the change', () => call.messages.length > before);
    }
    expect(stalled.messages).toHaveLength(0);
    stalled.stream.resume();
    const newest = () =>
      stateIn(stalled.messages.at(-1)).flags['flag-4']?.variants as { v?: string } | undefined;
    await until('the newest', () => stalled.messages.length > 0 && newest()?.v === '49');
    // The one that was on its way, and the one that follows it.
    expect(stalled.messages.length).toBeLessThanOrEqual(3);
  }, 30_000);

  it('lets go of a client that takes nothing for two minutes, and of no other', async () => {
    let skewMs = 0;
    await start({ now: () => Date.now() + skewMs, flagdKeepAliveMs: 20 });
    for (const index of [3, 4])
      await publish(
        channel.document(index, { variants: { big: 'x'.repeat(100_000) }, defaultVariant: 'big' }),
      );
    const call = sync(open());
    await until(
      'the large state',
      () => stateIn(call.messages.at(-1) ?? EMPTY).flags['flag-4'] !== undefined,
    );
    const stalled = sync(open());
    stalled.stream.pause();
    await until(
      'the answer begins',
      () => stalled.stream.sentHeaders !== undefined && stalled.stream.readableLength > 0,
    );
    skewMs = 119_000;
    await publish(channel.document(1, { defaultVariant: 'on' }));
    await until(
      'the change',
      () => stateIn(call.messages.at(-1) ?? EMPTY).flags['flag-1']?.defaultVariant === 'on',
    );
    expect(stalled.stream.closed).toBe(false);
    skewMs = 125_000;
    await until('the cut', () => lines.some((line) => line.includes('does not read')));
    stalled.stream.resume();
    expect((await stalled.ended).status).toBeNull();
    expect(call.stream.closed).toBe(false);
  });

  it('turns away streams over its limit so that they come again', async () => {
    await start({ maxClients: 1 });
    const first = sync(open());
    await until('the state', () => first.messages.length === 1);
    first.stream.close();
    // The server counts connections too, so the next stream comes on the same one.
    const [client] = clients;
    const second = await until('a slot', async () => {
      const call = sync(client!);
      const isServed = await Promise.race([
        call.ended.then(() => false),
        until('it', () => call.messages.length === 1),
      ]);
      return isServed ? call : null;
    });
    expect(second.messages).toHaveLength(1);
    expect((await sync(client!).ended).status).toBe(UNAVAILABLE);
  });
});

const typesOf = ({ messages }: RawCall): string[] =>
  messages.map((message) => {
    const response = EVALUATION_V2.EventStreamResponse;
    return String((toJson(response, fromBinary(response, message)) as JsonObject).type);
  });

describe('flagd.evaluation', () => {
  it('answers each type, and the same in both versions', async () => {
    const variants = { a: 3.7, b: 4 };
    await publish(
      channel.document(3, { variants, defaultVariant: 'a', metadata: { team: 'x' } }),
      channel.document(4, { variants: { t: 'text' }, defaultVariant: 't' }),
      channel.document(5, { variants: { o: { n: [1, null] } }, defaultVariant: 'o' }),
      channel.document(6, {
        targeting: {
          fractional: [
            ['on', 1],
            ['off', 0],
          ],
        },
      }),
    );
    await start();
    const client = open();
    await until(
      'the flags',
      async () => typeof (await resolve(client, 'v2', 'Boolean', 'flag-6')) === 'object',
    );
    const metadata = { flagSetId: 'shop/stable' };
    for (const version of ['v1', 'v2'] as const) {
      expect(await resolve(client, version, 'Boolean', 'flag-2')).toEqual({
        value: true,
        variant: 'on',
        reason: 'STATIC',
        metadata,
      });
      expect(await resolve(client, version, 'Float', 'flag-3')).toMatchObject({
        value: 3.7,
        metadata: { team: 'x', ...metadata },
      });
      expect(await resolve(client, version, 'Int', 'flag-3')).toMatchObject({ value: '3' });
      expect(await resolve(client, version, 'String', 'flag-4')).toMatchObject({ value: 'text' });
      expect(await resolve(client, version, 'Object', 'flag-5')).toMatchObject({ value: { n: [1, null] } });
      const share = await resolve(client, version, 'Boolean', 'flag-6', { targetingKey: 'host-1' });
      expect(share).toMatchObject({ value: true, reason: 'TARGETING_MATCH' });
    }
  });

  it('says false in v2 and leaves out what the code decides, for which v1 has only errors', async () => {
    await publish(
      channel.document(3, { defaultVariant: null }),
      channel.document(4, { state: 'DISABLED', killed: { at: 1, why: 'broken' } }),
    );
    await start();
    const client = open();
    const off = fromBinary(EVALUATION_V2.ResolveBooleanResponse, (await raw(client, 'flag-1')).messages[0]!);
    expect(off).toMatchObject({ value: false, variant: 'off' });
    const metadata = { flagSetId: 'shop/stable' };
    expect(await resolve(client, 'v2', 'Boolean', 'flag-3')).toEqual({ reason: 'DEFAULT', metadata });
    expect(await resolve(client, 'v2', 'Boolean', 'flag-4')).toEqual({ reason: 'DISABLED', metadata });
    expect(await resolve(client, 'v1', 'Boolean', 'flag-3')).toBe(STATUS.notFound);
    expect(await resolve(client, 'v1', 'Boolean', 'flag-4')).toBe(STATUS.notFound);
  });

  it('gives the status that clients read as missing, of another type, unreadable and failed', async () => {
    await publish(
      channel.document(3, { targeting: { no_such_operator: [1] } }),
      channel.document(4, { targeting: { cat: ['no', 'variant'] } }),
    );
    await start();
    const client = open();
    for (const version of ['v1', 'v2'] as const) {
      expect(await resolve(client, version, 'Boolean', 'missing')).toBe(STATUS.notFound);
      for (const kind of ['String', 'Float', 'Int', 'Object'] as const)
        expect(await resolve(client, version, kind, 'flag-1')).toBe(STATUS.invalid);
      expect(await resolve(client, version, 'Boolean', 'flag-3')).toBe(DATA_LOSS);
      expect(await resolve(client, version, 'Boolean', 'flag-4')).toBe(STATUS.unknown);
      expect(await resolve(client, version, 'Boolean', 'flag-1', { targetingKey: 5 })).toBe(STATUS.invalid);
    }
  });

  it('names the flags that changed and were deleted, and says that it is alive', async () => {
    await start({ flagdKeepAliveMs: 20 });
    const call = open().call('/flagd.evaluation.v1.Service/EventStream', grpcBody(Buffer.alloc(0)));
    await until('readiness', () => call.messages.length > 0);
    await publish(channel.document(1, { defaultVariant: 'on' }));
    await publish({ flagId: channel.document(2).flagId, ended: true });
    const response = EVALUATION_V1.EventStreamResponse;
    const events = () =>
      call.messages.map((message) => toJson(response, fromBinary(response, message)) as JsonObject);
    const changes = () => events().filter(({ type }) => type === 'configuration_change');
    await until('both', () => JSON.stringify(changes()).includes('delete'));
    const flags = Object.assign({}, ...changes().map(({ data }) => (data as { flags: object }).flags));
    const source = 'shop/stable';
    expect(flags).toEqual({
      'flag-1': { type: 'update', source, flagKey: 'flag-1' },
      'flag-2': { type: 'delete', source, flagKey: 'flag-2' },
    });
    await until('a sign of life', () => events().some(({ type }) => type === 'keep_alive'));
    expect(events()[0]).toEqual({ type: 'provider_ready' });
  });
});

describe('at a moment that a rule names', () => {
  it('tells event streams to ask again, with nothing published', async () => {
    const moment = Math.ceil(Date.now() / 1_000) + 1;
    const targeting = { if: [{ '>=': [{ var: '$flagd.timestamp' }, moment] }, 'on', 'off'] };
    await publish(channel.document(1, { targeting }));
    await start();
    const client = open();
    const call = client.call('/flagd.evaluation.v2.Service/EventStream', grpcBody(Buffer.alloc(0)));
    await until('the moment', () => typesOf(call).includes('configuration_change'));
    expect(await resolve(client, 'v2', 'Boolean', 'flag-1')).toMatchObject({ value: true });
  });
});

const raw = async (client: RawGrpc, flagKey: string): Promise<RawCall> => {
  const request = EVALUATION_V2.ResolveBooleanRequest;
  const body = grpcBody(toBinary(request, fromJson(request, { flagKey })));
  const call = client.call('/flagd.evaluation.v2.Service/ResolveBoolean', body);
  await call.ended;
  return call;
};

describe('Connect, for pages', () => {
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${service?.url}/flags/shop/stable/flagd.evaluation.${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  it('answers one flag and all, and errors in its own form', async () => {
    await publish(channel.document(3, { state: 'DISABLED' }));
    await start();
    await until('the flag', async () =>
      (await (await post('v1.Service/ResolveBoolean', { flagKey: 'flag-3' })).text()).includes('disabled'),
    );
    const all = await post('v1.Service/ResolveAll', { context: { targetingKey: 'a' } });
    const metadata = { flagSetId: 'shop/stable' };
    expect(await all.json()).toEqual({
      metadata,
      flags: {
        'flag-1': { reason: 'STATIC', variant: 'off', boolValue: false, metadata },
        'flag-2': { reason: 'STATIC', variant: 'on', boolValue: true, metadata },
      },
    });
    const off = await post('v2.Service/ResolveBoolean', { flagKey: 'flag-1' });
    expect(await off.json()).toEqual({ value: false, variant: 'off', reason: 'STATIC', metadata });
    const errors: [string, unknown, number, string][] = [
      ['v1.Service/ResolveBoolean', { flagKey: 'none' }, 404, 'not_found'],
      ['v1.Service/ResolveString', { flagKey: 'flag-1' }, 400, 'invalid_argument'],
      ['v1.Service/ResolveString', '{', 400, 'invalid_argument'],
      ['v1.Service/ResolveAll', { context: 5 }, 400, 'invalid_argument'],
      ['v1.Service/ResolveAll', { context: { a: 'x'.repeat(70_000) } }, 429, 'resource_exhausted'],
    ];
    for (const [path, body, status, code] of errors) {
      const answer = await post(path, body);
      expect([path, answer.status]).toEqual([path, status]);
      expect(await answer.json()).toMatchObject({ code, message: expect.any(String) });
    }
  });

  it('lets pages of the configured origins in, and no others', async () => {
    await start({ corsOrigins: ['https://shop.example'] });
    const preflight = (origin: string) =>
      fetch(`${service?.url}/flags/shop/stable/flagd.evaluation.v1.Service/ResolveAll`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'connect-protocol-version, content-type',
        },
      });
    const { status, headers } = await preflight('https://shop.example');
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, 'https://shop.example']);
    expect(headers.get('access-control-allow-headers')).toContain('connect-protocol-version');
    expect((await preflight('https://other.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('streams events in frames, and ends with an error that makes pages come again', async () => {
    const { close } = await start();
    const answer = await post('v1.Service/EventStream', Buffer.alloc(5).toString(), {
      'content-type': 'application/connect+json',
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/connect+json']);
    let bytes = Buffer.alloc(0);
    const whole = (async () => {
      for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>)
        bytes = Buffer.concat([bytes, part]);
    })();
    const frames = () => {
      const read: unknown[] = [];
      for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt32BE(at + 1))
        read.push([
          bytes.readUInt8(at),
          JSON.parse(bytes.subarray(at + 5, at + 5 + bytes.readUInt32BE(at + 1)).toString()),
        ]);
      return read;
    };
    await until('readiness', () => bytes.length > 0);
    await publish(channel.document(1, { defaultVariant: 'on' }));
    await until('the change', () => bytes.toString().includes('configuration_change'));
    service = null;
    await close();
    await whole;
    expect(frames()).toEqual([
      [0, { type: 'provider_ready' }],
      [0, expect.objectContaining({ type: 'configuration_change' })],
      [0, { type: 'provider_shutdown' }],
      [2, { error: { code: 'unavailable', message: expect.any(String) } }],
    ]);
  });
});

describe('the gRPC port', () => {
  it('lets clients ping as often as they like, with no call open', async () => {
    await start();
    const { session } = open();
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
    await start({ grpc: { pingEveryMs: 50 } });
    const alive = sync(open());
    const dead = connectSocket(port, '127.0.0.1');
    sockets.push(dead);
    // The preface and empty settings, then nothing: no answer to any ping.
    dead.write(
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
      ]),
    );
    dead.resume();
    await new Promise<void>((gone) => dead.once('close', () => gone()));
    await publish(channel.document(1, { defaultVariant: 'on' }));
    await until('the change', () => stateIn(alive.messages.at(-1)).flags['flag-1']?.defaultVariant === 'on');
  });

  it('speaks TLS with a certificate, and nothing else then', async () => {
    const files = await selfSigned();
    try {
      await start({ grpc: { tls: files } });
      const client = openRawGrpc(`https://127.0.0.1:${port}`, { ca: files.cert });
      clients.push(client);
      expect((await client.call(FETCH_ALL, syncBody()).ended).status).toBe(STATUS.ok);
      expect((await open().call(FETCH_ALL, syncBody()).ended).status).toBeNull();
    } finally {
      files.remove();
    }
  });

  it('answers what is not gRPC, not one message, compressed or too large, and goes on', async () => {
    await start();
    const client = open();
    expect((await client.call(FETCH_ALL, syncBody(), { 'content-type': 'text/plain' }).ended).http).toBe(415);
    expect((await client.call(FETCH_ALL, Buffer.alloc(0)).ended).status).toBe(STATUS.invalid);
    expect((await client.call(FETCH_ALL, Buffer.concat([syncBody(), syncBody()])).ended).status).toBe(
      STATUS.invalid,
    );
    expect((await client.call(FETCH_ALL, Buffer.from([1, 0, 0, 0, 0])).ended).status).toBe(
      STATUS.unimplemented,
    );
    expect((await client.call(FETCH_ALL, grpcBody(Buffer.alloc(2_000_000))).ended).status).toBe(
      STATUS.exhausted,
    );
    expect((await client.call(FETCH_ALL, syncBody()).ended).status).toBe(STATUS.ok);
  });

  it('takes any request without harm', async () => {
    await start();
    const client = open();
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
    expect(lines.filter((line) => line.includes('"error"'))).toEqual([]);
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
