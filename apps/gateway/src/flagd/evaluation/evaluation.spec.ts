import { fromBinary, fromJson, type JsonObject, toBinary, toJson } from '@bufbuild/protobuf';
import { grpcBody, type RawCall, type RawGrpc } from '../../../../../test/support/raw-grpc.js';
import { until } from '../../../../../test/support/until.js';
import { FlagdGateway, STATUS, typesOf } from '../flagd-gateway.fixture.js';
import { EVALUATION_V1, EVALUATION_V2 } from '../proto/flagd-messages.js';

const DATA_LOSS = 15;

let gateway: FlagdGateway;
beforeEach(async () => {
  gateway = await FlagdGateway.make();
});
afterEach(() => gateway.remove());

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
describe('flagd.evaluation', () => {
  it('answers each type, and the same in both versions', async () => {
    const variants = { a: 3.7, b: 4 };
    await gateway.publish(
      gateway.channel.document(3, { variants, defaultVariant: 'a', metadata: { team: 'x' } }),
      gateway.channel.document(4, { variants: { t: 'text' }, defaultVariant: 't' }),
      gateway.channel.document(5, { variants: { o: { n: [1, null] } }, defaultVariant: 'o' }),
      gateway.channel.document(6, {
        targeting: {
          fractional: [
            ['on', 1],
            ['off', 0],
          ],
        },
      }),
    );
    await gateway.start();
    const client = gateway.open();
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
    await gateway.publish(
      gateway.channel.document(3, { defaultVariant: null }),
      gateway.channel.document(4, { state: 'DISABLED', killed: { at: 1, why: 'broken' } }),
    );
    await gateway.start();
    const client = gateway.open();
    const off = fromBinary(EVALUATION_V2.ResolveBooleanResponse, (await raw(client, 'flag-1')).messages[0]!);
    expect(off).toMatchObject({ value: false, variant: 'off' });
    const metadata = { flagSetId: 'shop/stable' };
    expect(await resolve(client, 'v2', 'Boolean', 'flag-3')).toEqual({ reason: 'DEFAULT', metadata });
    expect(await resolve(client, 'v2', 'Boolean', 'flag-4')).toEqual({ reason: 'DISABLED', metadata });
    expect(await resolve(client, 'v1', 'Boolean', 'flag-3')).toBe(STATUS.notFound);
    expect(await resolve(client, 'v1', 'Boolean', 'flag-4')).toBe(STATUS.notFound);
  });

  it('gives the status that clients read as missing, of another type, unreadable and failed', async () => {
    await gateway.publish(
      gateway.channel.document(3, { targeting: { no_such_operator: [1] } }),
      gateway.channel.document(4, { targeting: { cat: ['no', 'variant'] } }),
    );
    await gateway.start();
    const client = gateway.open();
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
    await gateway.start({ flagdKeepAliveMs: 20 });
    const call = gateway.open().call('/flagd.evaluation.v1.Service/EventStream', grpcBody(Buffer.alloc(0)));
    await until('readiness', () => call.messages.length > 0);
    await gateway.publish(gateway.channel.document(1, { defaultVariant: 'on' }));
    await gateway.publish({ flagId: gateway.channel.document(2).flagId, ended: true });
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
    // An answer that was on its way when the client was told is kept by it, unless it is told again.
    const toldOf = (key: string) => changes().filter(({ data }) => key in (data as { flags: object }).flags);
    await until('the same once more', () => toldOf('flag-1').length === 2 && toldOf('flag-2').length === 2);
  });
});

describe('an event stream of a client that was away', () => {
  it('names what changed and ended meanwhile, once it is ready', async () => {
    await gateway.start();
    const open = () =>
      gateway.open().call('/flagd.evaluation.v2.Service/EventStream', grpcBody(Buffer.alloc(0)));
    const first = open();
    await until('readiness', () => first.messages.length > 0);
    expect(typesOf(first)).toEqual(['provider_ready']);
    await gateway.publish(gateway.channel.document(1, { defaultVariant: 'on' }));
    await gateway.publish({ flagId: gateway.channel.document(2).flagId, ended: true });
    await until('both', () => typesOf(first).length >= 3);
    const second = open();
    await until('what was missed', () => second.messages.length >= 2);
    const response = EVALUATION_V2.EventStreamResponse;
    const [ready, missed] = second.messages.map(
      (message) => toJson(response, fromBinary(response, message)) as JsonObject,
    );
    expect(ready).toEqual({ type: 'provider_ready' });
    expect(missed).toMatchObject({ data: { flags: { 'flag-1': {}, 'flag-2': { type: 'delete' } } } });
  });
});

describe('at a moment that a rule names', () => {
  it('tells event streams to ask again, with nothing published', async () => {
    const moment = Math.ceil(Date.now() / 1_000) + 1;
    const targeting = { if: [{ '>=': [{ var: '$flagd.timestamp' }, moment] }, 'on', 'off'] };
    await gateway.publish(gateway.channel.document(1, { targeting }));
    await gateway.start();
    const client = gateway.open();
    const call = client.call('/flagd.evaluation.v2.Service/EventStream', grpcBody(Buffer.alloc(0)));
    await until('the moment', () => typesOf(call).includes('configuration_change'));
    expect(await resolve(client, 'v2', 'Boolean', 'flag-1')).toMatchObject({ value: true });
  });
});

it('leaves names out of a context that could reach into a prototype', async () => {
  const targeting = { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'on', 'off'] };
  await gateway.publish(gateway.channel.document(1, { targeting }));
  await gateway.start();
  const client = gateway.open();
  const { ResolveBooleanRequest: request, ResolveBooleanResponse: response } = EVALUATION_V2;
  const valueWith = async (context: JsonObject) => {
    const bytes = toBinary(request, fromJson(request, { flagKey: 'flag-1', context }));
    // Of the same length, so that the message stays one.
    const given = Buffer.from(
      Buffer.from(bytes).toString('latin1').replace('XXprotoXX', '__proto__'),
      'latin1',
    );
    const call = client.call('/flagd.evaluation.v2.Service/ResolveBoolean', grpcBody(given));
    expect((await call.ended).status).toBe(STATUS.ok);
    return (toJson(response, fromBinary(response, call.messages[0]!)) as JsonObject).value;
  };
  expect(await valueWith({ XXprotoXX: { plan: 'pro' } })).toBe(false);
  expect(await valueWith({ constructor: { prototype: { plan: 'pro' } } })).toBe(false);
  expect(await valueWith({ plan: 'pro', XXprotoXX: { plan: 'free' } })).toBe(true);
  expect(({} as { plan?: string }).plan).toBeUndefined();
});

const raw = async (client: RawGrpc, flagKey: string): Promise<RawCall> => {
  const request = EVALUATION_V2.ResolveBooleanRequest;
  const body = grpcBody(toBinary(request, fromJson(request, { flagKey })));
  const call = client.call('/flagd.evaluation.v2.Service/ResolveBoolean', body);
  await call.ended;
  return call;
};
