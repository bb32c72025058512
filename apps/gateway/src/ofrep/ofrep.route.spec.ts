import { connect as connectSocket, type Socket } from 'node:net';
import { machineEnvironment } from '@headgate/sdk';
import { Log, type RunningService, runService } from '@headgate/service-kit';
import { declareInstallation, openMemoryStreams, type Streams } from '@headgate/streams';
import { whereFound } from '@headgate/testing';
import fc from 'fast-check';
import { fuzzRun } from '../../../../test/support/fuzz-run.js';
import { openOfrepSchema } from '../../../../test/support/ofrep-schema.js';
import { SignedChannel } from '../../../../test/support/signed-channel.js';
import { until } from '../../../../test/support/until.js';
import { ChannelDirectory } from '../channels/channel-directory.js';
import { UsageCounter } from '../flag-set/usage.js';
import { GatewayModule } from '../gateway.module.js';
import type { GatewayOptions } from '../gateway-options.js';

const BASE = '/flags/shop/stable/ofrep/v1';
const schema = openOfrepSchema();

describe('the OFREP door', () => {
  let streams: Streams;
  let channel: SignedChannel;
  let services: RunningService[];
  let sockets: Socket[];
  let lines: string[];
  let service: RunningService;
  /** Added to the machine's clock. */
  let aheadMs: number;

  beforeEach(async () => {
    [services, sockets, lines, aheadMs] = [[], [], [], 0];
    streams = openMemoryStreams({ now: Date.now });
    await declareInstallation(streams, { now: Date.now() });
    channel = new SignedChannel();
    channel.commit(
      channel.document(1, { metadata: { team: 'a' } }),
      channel.document(2, {
        variants: { big: 'XL', small: 'S' },
        defaultVariant: 'small',
        targeting: { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'big', null] },
      }),
      channel.document(3, { state: 'DISABLED' }),
      channel.document(4, { defaultVariant: null, variants: { a: { deep: [1, { x: null }] } } }),
      channel.document(5, { targeting: { fractional: [['on', 1]] } }),
    );
    await channel.publishAll(streams);
    service = await start();
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(services.map((running) => running.close()));
    await streams.close();
  });

  const start = async (options: Partial<GatewayOptions> = {}): Promise<RunningService> => {
    const log = new Log({
      service: 'gateway',
      level: 'debug',
      now: Date.now,
      write: (line) => lines.push(line),
    });
    const module = GatewayModule.register({
      streams,
      sources: [{ root: 'own', stream: 'FLAGS', pin: channel.pin }],
      dataDir: null,
      now: () => Date.now() + aheadMs,
      random: () => 0,
      newId: machineEnvironment.newId,
      ...options,
    });
    const started = await runService({ name: 'gateway', log, port: 0, modules: [module] });
    services.push(started);
    await until('the channel', async () =>
      (await fetch(`${started.url}/flags/shop/stable/`)).ok ? true : null,
    );
    return started;
  };
  const change = (index: number, changes = {}) =>
    channel.publishCommit(
      streams,
      channel.commit(channel.document(index, { why: `n ${channel.head.h.n}`, ...changes })),
    );

  /** Every answer that any test here gets is held against openapi.yaml. */
  const post = async (
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
    { url } = service,
  ) => {
    const answer = await fetch(`${url}${BASE}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    const said = {
      status: answer.status,
      contentType: answer.headers.get('content-type'),
      retryAfter: answer.headers.get('retry-after'),
      body: text,
    };
    const known = /^\/evaluate\/flags\/?(\?|$)/.test(path)
      ? '/ofrep/v1/evaluate/flags'
      : '/ofrep/v1/evaluate/flags/{key}';
    // 503 is no answer of OFREP's: it is how a replica says that it has not the version that was demanded.
    if (answer.status !== 503) expect(schema?.check(known, said) ?? '').toBe('');
    return { answer, json: text === '' ? null : JSON.parse(text) };
  };
  const single = async (key: string, context: unknown = {}) =>
    (await post(`/evaluate/flags/${key}`, { context })).json;
  const bulk = (context: unknown = {}, headers = {}, query = '', of = service) =>
    post(`/evaluate/flags${query}`, { context }, headers, of);

  it('evaluates one flag', async () => {
    const metadata = { flagSetId: 'shop/stable' };
    expect(await single('flag-1')).toEqual({
      key: 'flag-1',
      reason: 'STATIC',
      value: false,
      variant: 'off',
      metadata: { ...metadata, team: 'a' },
    });
    expect(await single('flag-2', { plan: 'pro' })).toMatchObject({ reason: 'TARGETING_MATCH', value: 'XL' });
    expect(await single('flag-2')).toMatchObject({ reason: 'UNKNOWN', value: 'S', variant: 'small' });
    expect(await single('flag-5', { targetingKey: 'x' })).toMatchObject({ reason: 'SPLIT', value: true });
    expect(await single('flag-5')).toMatchObject({ reason: 'UNKNOWN', value: false });
  });

  it('leaves the value out where the caller has to use its own', async () => {
    const metadata = { flagSetId: 'shop/stable' };
    expect(await single('flag-3')).toEqual({ key: 'flag-3', reason: 'DISABLED', metadata });
    expect(await single('flag-4')).toEqual({ key: 'flag-4', reason: 'UNKNOWN', metadata });
  });

  it.each(['team/checkout:new.flow', 'team%2Fcheckout:new.flow'])(
    'finds a key with slashes, as %s',
    async (key) => {
      await change(9, { key: 'team/checkout:new.flow' });
      await until(
        'the flag',
        async () =>
          (await single(key)).key === 'team/checkout:new.flow' && (await single(key)).value === false,
      );
    },
  );

  it('finds a key of 200 characters', async () => {
    await change(9, { key: 'k'.repeat(200) });
    await until('the flag', async () => (await single('k'.repeat(200))).value === false);
  });

  it.each([
    ['no body', '', 400, 'PARSE_ERROR'],
    ['a body that is no JSON', '{"context":{"targetingKey":"secret-person"', 400, 'PARSE_ERROR'],
    ['a list', [], 400, 'PARSE_ERROR'],
    ['a context that is a text', { context: 'secret-person' }, 400, 'INVALID_CONTEXT'],
    ['a targeting key that is a number', { context: { targetingKey: 7 } }, 400, 'INVALID_CONTEXT'],
    ['a body that is too large', { context: { a: 'x'.repeat(70_000) } }, 400, 'INVALID_CONTEXT'],
  ])('refuses %s, and says nothing of what was in it', async (_, body, status, errorCode) => {
    for (const path of ['/evaluate/flags/flag-1', '/evaluate/flags']) {
      const { answer, json } = await post(path, body);
      expect([answer.status, json.errorCode]).toEqual([status, errorCode]);
      expect(JSON.stringify(json)).not.toContain('secret');
    }
  });

  it('refuses another type of body', async () => {
    const { answer, json } = await post('/evaluate/flags', 'context=1', { 'content-type': 'text/plain' });
    expect([answer.status, json.errorCode]).toEqual([400, 'PARSE_ERROR']);
  });

  it('takes no context, and one without a targeting key', async () => {
    for (const body of [{}, { context: null }, { context: { targetingKey: null } }])
      expect((await post('/evaluate/flags/flag-1', body)).json.value).toBe(false);
  });

  it('says which flag is not found, and that a channel is not', async () => {
    expect(await single('none')).toMatchObject({ key: 'none', errorCode: 'FLAG_NOT_FOUND' });
    const answer = await fetch(`${service.url}/flags/shop/other/ofrep/v1/evaluate/flags`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect([answer.status, await answer.json()]).toEqual([
      404,
      expect.objectContaining({ errorCode: 'FLAG_NOT_FOUND' }),
    ]);
  });

  it('fails one flag of all when only that one fails', async () => {
    await change(6, { targeting: { nonsense: [] } });
    const { json } = await until('the flag', async () => {
      const answer = await bulk();
      return answer.json.flags.length === 6 ? answer : null;
    });
    expect(
      json.flags.map(({ key, errorCode }: { key: string; errorCode?: string }) => [key, errorCode]),
    ).toEqual([...[1, 2, 3, 4, 5].map((i) => [`flag-${i}`, undefined]), ['flag-6', 'PARSE_ERROR']]);
    expect(await single('flag-6')).toMatchObject({ errorCode: 'PARSE_ERROR' });
  });

  it('never logs a context', async () => {
    await bulk({ targetingKey: 'secret-person', plan: 'pro' });
    await single('flag-2', { targetingKey: 'secret-person' });
    expect(lines.join('\n')).not.toContain('secret-person');
  });

  it('answers bodies that are no JSON, or too deep, in its own words', async () => {
    const deep = `{"context":{"a":${'['.repeat(9_000)}${']'.repeat(9_000)}}}`;
    for (const [body, errorDetails] of [
      ['{', 'The body is not JSON.'],
      [deep, 'The body is nested 9002 levels deep; at most 200 are taken.'],
    ]) {
      const { answer, json } = await post('/evaluate/flags/flag-1', body);
      expect([answer.status, json]).toEqual([400, { key: 'flag-1', errorCode: 'PARSE_ERROR', errorDetails }]);
      expect((await post('/evaluate/flags', body)).json).toEqual({ errorCode: 'PARSE_ERROR', errorDetails });
    }
  });

  it('leaves names out of a context that could reach into a prototype', async () => {
    const variantWith = async (context: string) =>
      (await post('/evaluate/flags/flag-2', `{"context":${context}}`)).json.variant;
    for (const name of ['__proto__', '\\u005f_proto__'])
      expect(await variantWith(`{"${name}":{"plan":"pro"}}`)).toBe('small');
    expect(await variantWith('{"constructor":{"prototype":{"plan":"pro"}}}')).toBe('small');
    expect(await variantWith('{"plan":"pro","__proto__":{"plan":"free"}}')).toBe('big');
    expect(({} as { plan?: string }).plan).toBeUndefined();
  });

  describe('the ETag of all flags', () => {
    it('changes with the result for a context, and only then', async () => {
      const first = await bulk({ plan: 'pro' });
      const etag = first.answer.headers.get('etag')!;
      expect((await bulk({ plan: 'pro', age: 3 }, { 'if-none-match': etag })).answer.status).toBe(304);
      expect((await bulk({ plan: 'free' }, { 'if-none-match': etag })).answer.status).toBe(200);
      // A commit that changes nothing for this context.
      await change(2, {
        variants: { big: 'XL', small: 'S' },
        defaultVariant: 'small',
        targeting: { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'big', 'small'] },
      });
      await until('the commit', async () => (await single('flag-2')).reason === 'TARGETING_MATCH');
      expect((await bulk({ plan: 'pro' }, { 'if-none-match': etag })).answer.status).toBe(304);
      await change(1, { defaultVariant: 'on' });
      await until('the change', async () => (await single('flag-1')).value === true);
      const { answer, json } = await bulk({ plan: 'pro' }, { 'if-none-match': etag });
      expect([answer.status, json.flags[0].value]).toEqual([200, true]);
      expect(answer.headers.get('etag')).not.toBe(etag);
    });

    it('changes at the moment that a rule names, though nothing is published', async () => {
      const at = Math.floor(Date.now() / 1_000) + 1_000;
      await change(1, { targeting: { if: [{ '>=': [{ var: '$flagd.timestamp' }, at] }, 'on', null] } });
      await until('the change', async () => (await single('flag-1')).reason === 'UNKNOWN');
      const etag = (await bulk()).answer.headers.get('etag')!;
      aheadMs = 999_000;
      expect((await bulk({}, { 'if-none-match': etag })).answer.status).toBe(304);
      aheadMs = 1_001_000;
      const { answer, json } = await bulk({}, { 'if-none-match': etag });
      expect([answer.status, json.flags[0].value]).toEqual([200, true]);
    });

    it.each(['"x", ETAG', 'W/ETAG', 'BARE', '*'])('is found in If-None-Match: %s', async (pattern) => {
      const etag = (await bulk()).answer.headers.get('etag')!;
      const header = pattern.replace('ETAG', etag).replace('BARE', etag.slice(1, -1));
      expect((await bulk({}, { 'if-none-match': header })).answer.status).toBe(304);
    });
  });

  describe('a demand for freshness', () => {
    it('is met at once by the version held or an older one, and by an etag of another server', async () => {
      for (const etag of ['own:1.2', 'own:1.1', 'own:0.99', 'other:9.9', '9.9', 'abc123'])
        expect((await bulk({}, {}, `?flagConfigEtag=${etag}`)).answer.status).toBe(200);
    });

    it('holds the answer back until the version is here', async () => {
      const answer = bulk({}, {}, '?flagConfigEtag=own:1.3');
      await change(1, { defaultVariant: 'on' });
      expect((await answer).json.flags[0].value).toBe(true);
    });

    it('is refused rather than answered from an older state', async () => {
      const late = await start({ freshnessWaitMs: 50 });
      for (const query of [
        '?flagConfigEtag=own:1.9',
        '?flagConfigEtag=own:2.1',
        '?flagConfigEtag=own:1.2%2B1.9',
        `?flagConfigLastModified=${Math.floor(Date.now() / 1_000) + 100}`,
      ]) {
        const { answer, json } = await bulk({}, {}, query, late);
        expect([answer.status, Object.keys(json)]).toEqual([503, ['errorDetails']]);
        expect(answer.headers.get('retry-after')).toBe('2');
      }
    });

    it('holds for the source that was told of, until one of higher precedence has the channel', async () => {
      const mirrored = await start({
        sources: [
          { root: 'own', stream: 'OWN', pin: `sha256:${'0'.repeat(64)}` },
          { root: 'debian', stream: 'FLAGS', pin: channel.pin },
        ],
        freshnessWaitMs: 50,
      });
      const asked = async (etag: string) =>
        (await bulk({}, {}, `?flagConfigEtag=${etag}`, mirrored)).answer.status;
      expect([await asked('debian:1.2'), await asked('debian:1.9')]).toEqual([200, 503]);
      // Somewhere `own` has the channel already.
      expect(await asked('own:1.1')).toBe(503);
    });

    it('by time alone is met by what was heard since', async () => {
      const past = Math.floor(Date.now() / 1_000) - 10;
      expect((await bulk({}, {}, `?flagConfigLastModified=${past}`)).answer.status).toBe(200);
      const iso = new Date(past * 1_000).toISOString();
      expect((await bulk({}, {}, `?flagConfigLastModified=${iso}`)).answer.status).toBe(200);
      expect((await bulk({}, {}, '?flagConfigLastModified=yesterday')).answer.status).toBe(400);
    });
  });

  describe('the event stream', () => {
    const revision = () =>
      service.app.get(ChannelDirectory, { strict: false }).find('shop', 'stable')?.flags.revision;
    const follow = async (headers: Record<string, string> = {}, to = service, isTold = true) => {
      const { json } = await bulk({}, {}, '', to);
      const [stream] = json.eventStreams;
      expect(stream).toEqual({
        type: 'sse',
        endpoint: { requestUri: `${BASE}/events` },
        inactivityDelaySec: 120,
      });
      const socket = connectSocket(to.port, '127.0.0.1');
      sockets.push(socket);
      let received = '';
      socket.on('data', (bytes) => {
        received += bytes.toString();
      });
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`GET ${stream.endpoint.requestUri} HTTP/1.1\r\nhost: a\r\n${lines.join('')}\r\n`);
      await until('the stream', () => received.includes(isTold ? 'retry: ' : ': headgate'));
      return {
        socket,
        received: () => received,
        events: () =>
          [...received.matchAll(/id: (\S+)\ndata: (.*)\n\n/g)].map(([, id, data]) => ({
            id,
            data: JSON.parse(data!),
          })),
      };
    };

    it('tells a newcomer what it may have missed, and then each change, as the schema has it', async () => {
      const client = await follow();
      expect(client.events()).toEqual([
        {
          id: 'own:1.2',
          data: { type: 'refetchEvaluation', etag: 'own:1.2', lastModified: expect.any(Number) },
        },
      ]);
      await change(1, { defaultVariant: 'on' });
      await until('the change', () => client.events().at(-1)?.id === 'own:1.3');
      const { etag, lastModified } = client.events().at(-1)!.data;
      const query = `?flagConfigEtag=${etag}&flagConfigLastModified=${lastModified}`;
      expect((await bulk({}, {}, query)).json.flags[0].value).toBe(true);
    });

    it('tells a client that comes back only what it does not know', async () => {
      expect((await follow({ 'last-event-id': 'own:1.2' })).events()).toEqual([]);
      expect((await follow({ 'last-event-id': 'own:1.1' })).events().map(({ id }) => id)).toEqual([
        'own:1.2',
      ]);
    });

    it('moves its clients when a source of higher precedence has the channel', async () => {
      const ours = new SignedChannel();
      ours.commit(ours.document(1, { defaultVariant: 'on' }));
      const both = await start({
        sources: [
          { root: 'own', stream: 'FLAGS', pin: ours.pin },
          { root: 'debian', stream: 'FLAGS', pin: channel.pin },
        ],
        heartbeatMs: 20,
      });
      const client = await follow({}, both);
      expect(client.events()[0]?.data.etag).toBe('debian:1.2');
      const ended = new Promise((resolve) => client.socket.once('close', resolve));
      // In the same stream here: what tells the sources apart is their pin.
      await ours.publishAll(streams);
      await ended;
      const back = await follow({ 'last-event-id': client.events().at(-1)!.id! }, both);
      expect(back.events()[0]?.data.etag).toBe('own:1.2');
    });

    it('tells one that knows of newer flags nothing before it has them too', async () => {
      const client = await follow({ 'last-event-id': 'own:1.4' }, service, false);
      await change(1);
      await until('the commit', () => revision() === '1.3');
      await change(2, { state: 'DISABLED', killed: { at: 1, why: 'x' } });
      await until('what it knows', () => client.received().includes('retry: '));
      expect(client.events()).toEqual([]);
      await change(3, { state: 'DISABLED', killed: { at: 1, why: 'x' } });
      await until('what it does not', () => client.events().length === 1);
      expect(client.events()[0]?.id).toBe('own:1.5');
    });

    it('gathers changes that follow closely, and never a flag that goes off', async () => {
      const client = await follow();
      for (let i = 0; i < 10; i += 1) await change(1);
      await change(2, { state: 'DISABLED', killed: { at: 1, why: 'x' } });
      await until('the kill', () => client.events().at(-1)?.id === `own:1.${channel.head.h.n}`);
      expect(client.events().length).toBeLessThan(6);
    });

    it('tells of the moments that rules name', async () => {
      const at = Math.floor(Date.now() / 1_000) + 2;
      await change(1, { targeting: { if: [{ '>=': [{ var: '$flagd.timestamp' }, at] }, 'on', null] } });
      const client = await follow();
      await until('the moment', () => client.events().at(-1)?.id === `own:1.3@${at}`);
      const { etag, lastModified } = client.events().at(-1)!.data;
      expect([etag, lastModified]).toEqual(['own:1.3', at]);
      expect(
        (await bulk({}, {}, `?flagConfigEtag=${etag}&flagConfigLastModified=${at}`)).json.flags[0].value,
      ).toBe(true);
    });

    it('asks clients to come back at times of their own', async () => {
      expect((await follow()).received()).toContain('retry: 1000\n');
      const other = await start({ random: () => 0.5 });
      expect((await follow({}, other)).received()).toContain('retry: 3000\n');
    });

    it('turns away more clients than it may have, those of all doors counted together', async () => {
      const small = await start({ maxClients: 1 });
      const first = await follow({}, small);
      const refused = await fetch(`${small.url}${BASE}/events`);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
      const sdk = await fetch(`${small.url}/flags/shop/stable/`, {
        headers: { accept: 'text/event-stream' },
      });
      expect(sdk.status).toBe(429);
      first.socket.destroy();
      await until('the slot', async () =>
        (await (await fetch(`${small.url}/metrics`)).text()).includes('headgate_gateway_clients 0'),
      );
    });
  });

  it('limits what one address may ask, and says when to ask again', async () => {
    const limited = await start({ requestsPerSecond: 2 });
    const answers = [];
    for (let i = 0; i < 6; i += 1) answers.push((await bulk({}, {}, '', limited)).answer);
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.slice(0, 4).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers } of refused) expect(headers.get('retry-after')).toBe('1');
    const metrics = await (await fetch(`${limited.url}/metrics`)).text();
    expect(metrics).toMatch(/headgate_gateway_ofrep_refused_total\{reason="address-limit"\} [12]/);
  });

  describe('for browsers', () => {
    const origin = 'https://shop.example.org';
    const preflight = (of: RunningService, from = origin) =>
      fetch(`${of.url}${BASE}/evaluate/flags`, {
        method: 'OPTIONS',
        headers: {
          origin: from,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,if-none-match,x-own',
        },
      });

    it('lets pages of a configured origin evaluate, read the ETag and follow', async () => {
      const open = await start({ corsOrigins: [origin], requestsPerSecond: 100 });
      const asked = await preflight(open);
      expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
      expect(asked.headers.get('access-control-allow-headers')).toBe('content-type,if-none-match,x-own');
      const { answer } = await bulk({}, { origin }, '', open);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-expose-headers')).toContain('etag');
      expect(answer.headers.get('vary')).toContain('origin');
      const refused = await post('/evaluate/flags/none', {}, { origin }, open);
      expect(refused.answer.headers.get('access-control-allow-origin')).toBe(origin);
      const stream = await fetch(`${open.url}${BASE}/events`, { headers: { origin } });
      expect(stream.headers.get('access-control-allow-origin')).toBe(origin);
      await stream.body?.cancel();
    });

    it('says nothing to other pages, and to none by default', async () => {
      const open = await start({ corsOrigins: [origin] });
      for (const [of, from] of [
        [open, 'https://evil.example'],
        [service, origin],
      ] as const)
        expect((await preflight(of, from)).headers.get('access-control-allow-origin')).toBeNull();
      const any = await start({ corsOrigins: ['*'] });
      expect((await preflight(any, 'https://a.example')).headers.get('access-control-allow-origin')).toBe(
        '*',
      );
    });
  });

  it('counts what was asked for, listed, and not found', async () => {
    await single('flag-2', { plan: 'pro' });
    await single('flag-3');
    await single('none');
    await bulk();
    const usage = [...service.app.get(UsageCounter, { strict: false }).read()];
    const counts = (kind: string) =>
      Object.fromEntries(usage.filter((row) => row.kind === kind).map(({ key, counts }) => [key, counts]));
    expect(counts('asked')).toEqual({ 'flag-2': { big: 1 }, 'flag-3': { '': 1 } });
    expect(counts('unknown')).toEqual({ none: { '': 1 } });
    expect(Object.keys(counts('listed'))).toEqual(['flag-1', 'flag-2', 'flag-3', 'flag-4', 'flag-5']);
  });

  it('answers any body with an answer of OFREP’s, and lives on', async () => {
    const open = await start({ requestsPerSecond: 0 });
    const body = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.record({ context: fc.jsonValue() }).map((value) => JSON.stringify(value)),
      fc
        .record({
          targetingKey: fc.string({ unit: 'binary' }),
          plan: fc.jsonValue(),
          __proto__: fc.jsonValue(),
        })
        .map((context) => JSON.stringify({ context })),
    );
    const key = fc.oneof(
      fc.constantFrom('flag-1', 'flag-2', 'flag-5', '__proto__', 'constructor'),
      fc
        .string({ unit: 'binary', minLength: 1 })
        .filter((text) => !/^\.{1,2}$/.test(text))
        .map(encodeURIComponent),
    );
    await fc.assert(
      fc.asyncProperty(body, fc.option(key), async (text, name) => {
        const { answer } = await post(
          name === null ? '/evaluate/flags' : `/evaluate/flags/${name}`,
          text,
          {},
          open,
        );
        expect(answer.status).toBeLessThan(500);
      }),
      fuzzRun('the OFREP door', 400),
    );
    // What is no address never comes as far as this door.
    expect((await fetch(`${open.url}${BASE}/evaluate/flags/%ff`, { method: 'POST' })).status).toBe(400);
    expect((await bulk({}, {}, '', open)).answer.status).toBe(200);
  }, 60_000);

  // Last: every answer above went through it.
  whereFound('shared', 'gave no answer above that OFREP’s openapi.yaml does not describe', () => {
    expect(schema?.count).toBeGreaterThan(100);
  });
});
