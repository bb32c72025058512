import fc from 'fast-check';
import { fuzzRun } from '../../../../../test/support/fuzz-run.js';
import { until } from '../../../../../test/support/until.js';
import { FlagdGateway } from '../flagd-gateway.fixture.js';

let gateway: FlagdGateway;
beforeEach(async () => {
  gateway = await FlagdGateway.make();
});
afterEach(() => gateway.remove());

describe('Connect, for pages', () => {
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/flags/shop/stable/flagd.evaluation.${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  it('answers one flag and all, and errors in its own form', async () => {
    await gateway.publish(gateway.channel.document(3, { state: 'DISABLED' }));
    await gateway.start();
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

  it('leaves names out of a context that could reach into a prototype, and says how deep one may be', async () => {
    const targeting = { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'on', 'off'] };
    await gateway.publish(gateway.channel.document(1, { targeting }));
    await gateway.start();
    const valueWith = async (context: string) => {
      const answer = await post('v1.Service/ResolveBoolean', `{"flagKey":"flag-1","context":${context}}`);
      return ((await answer.json()) as { value?: boolean }).value;
    };
    for (const name of ['__proto__', '\\u005f_proto__'])
      expect(await valueWith(`{"${name}":{"plan":"pro"}}`)).toBe(false);
    expect(await valueWith('{"constructor":{"prototype":{"plan":"pro"}}}')).toBe(false);
    expect(await valueWith('{"plan":"pro","__proto__":{"plan":"free"}}')).toBe(true);
    expect(({} as { plan?: string }).plan).toBeUndefined();
    const deep = await post(
      'v1.Service/ResolveAll',
      `{"context":{"a":${'['.repeat(9_000)}${']'.repeat(9_000)}}}`,
    );
    expect([deep.status, await deep.json()]).toEqual([
      400,
      { code: 'invalid_argument', message: 'The body is nested 9002 levels deep; at most 200 are taken.' },
    ]);
  });

  it('takes any body without harm, and logs nothing of it', async () => {
    await gateway.start();
    const method = fc.constantFrom('ResolveAll', 'ResolveBoolean', 'ResolveObject', 'ResolveInt');
    const request = fc.record({ flagKey: fc.jsonValue(), context: fc.jsonValue() }, { requiredKeys: [] });
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      request.map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(method, body, async (name, text) => {
        const answer = await post(
          `v2.Service/${name}`.replace('v2.Service/ResolveAll', 'v1.Service/ResolveAll'),
          text,
        );
        expect([200, 400, 404]).toContain(answer.status);
        expect(typeof (await answer.json())).toBe('object');
      }),
      fuzzRun('requests of pages to flagd.evaluation', 200),
    );
    expect(gateway.lines).toEqual([]);
  }, 60_000);

  it('lets pages of the configured origins in, and no others', async () => {
    await gateway.start({ corsOrigins: ['https://shop.example'] });
    const preflight = (origin: string) =>
      fetch(`${gateway.url}/flags/shop/stable/flagd.evaluation.v1.Service/ResolveAll`, {
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
    await gateway.start();
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
    await gateway.publish(gateway.channel.document(1, { defaultVariant: 'on' }));
    await until('the change', () => bytes.toString().includes('configuration_change'));
    await gateway.stop();
    await whole;
    expect(frames()).toEqual([
      [0, { type: 'provider_ready' }],
      [0, expect.objectContaining({ type: 'configuration_change' })],
      [0, { type: 'provider_shutdown' }],
      [2, { error: { code: 'unavailable', message: expect.any(String) } }],
    ]);
  });
});
