import { randomUUID } from 'node:crypto';
import { looksSubject, PLAN_QUESTIONS, type RolloutView } from '@headgate/contracts';
import { DEFINITION, type OpenedControl, openControl, prepare } from './control.fixture.js';

let control: OpenedControl;
let admin: string;
let flag: string;

beforeEach(async () => {
  control = await openControl({
    operations: { verifyLog: async () => ({ ok: true, events: 3 }) },
  });
  ({ admin, flag } = await prepare(control));
});
afterEach(() => control.close());

const because = { body: { why: 'because' } };

describe('control', () => {
  it('answers a write with where its fact stands, and reads it back at once', async () => {
    const { status, body } = await control.call('PUT', flag, {
      token: admin,
      body: { definition: { ...DEFINITION, defaultVariant: 'on' }, why: 'on for all' },
    });
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({
        project: 'web',
        position: 4,
        repeated: false,
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      }),
    ]);
    const { body: view } = await control.call('GET', flag, { token: admin });
    expect(view).toMatchObject({ key: 'new-parser', status: 'active', position: 4, why: 'on for all' });
    expect(view.definition.defaultVariant).toBe('on');
  });

  it('gives a repeated command its first answer, and refuses its id for another', async () => {
    const headers = { 'idempotency-key': randomUUID().toUpperCase() };
    const first = await control.call('POST', `${flag}/kill`, { token: admin, ...because, headers });
    const again = await control.call('POST', `${flag}/kill`, { token: admin, ...because, headers });
    expect(again.body).toEqual({ ...first.body, repeated: true });
    const other = await control.call('POST', `${flag}/kill`, {
      token: admin,
      body: { why: 'other' },
      headers,
    });
    expect([other.status, other.body.error.code]).toEqual([409, 'command-id-reused']);
    const { head } = await control.store.project('web');
    expect(head?.position).toBe(4);
  });

  it.each(['{"on":"\\ud800"}', '{"\\udc00":true}', '{"on":"\\u0000"}', '{"o\\u0000n":true}'])(
    'refuses half a character, and NUL: %s',
    async (variants) => {
      const body = `{"key":"k","definition":{"state":"ENABLED","variants":${variants}},"why":"x"}`;
      const path = '/v1/projects/web/channels/stable/flags';
      const answer = await control.call('POST', path, { token: admin, body });
      expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid-input']);
      expect(answer.body.error.message).toMatch(/^definition\.variants.*cut in half/);
    },
  );

  it('refuses an idempotency key that is no UUID', async () => {
    const headers = { 'idempotency-key': 'again' };
    const { status, body } = await control.call('POST', `${flag}/kill`, {
      token: admin,
      ...because,
      headers,
    });
    expect([status, body.error.code]).toEqual([400, 'invalid-input']);
  });

  it('kills, says so, and lifts the kill', async () => {
    await control.call('POST', `${flag}/kill`, { token: admin, ...because });
    expect((await control.call('GET', flag, { token: admin })).body).toMatchObject({
      status: 'killed',
      why: 'because',
    });
    const twice = await control.call('POST', `${flag}/kill`, { token: admin, body: { why: 'again' } });
    expect([twice.status, twice.body.error]).toEqual([
      409,
      expect.objectContaining({
        code: 'flag-already-killed',
        next: expect.stringContaining('lift the kill'),
      }),
    ]);
    await control.call('POST', `${flag}/lift-kill`, { token: admin, ...because });
    expect((await control.call('GET', flag, { token: admin })).body.status).toBe('active');
  });

  it('takes flag keys with slashes, percent-encoded', async () => {
    const key = 'net/http:v2.parser';
    const flags = '/v1/projects/web/channels/stable/flags';
    const body = { key, definition: DEFINITION, why: 'x' };
    expect((await control.call('POST', flags, { token: admin, body })).status).toBe(201);
    const path = `${flags}/${encodeURIComponent(key)}`;
    expect((await control.call('GET', path, { token: admin })).body.key).toBe(key);
    expect((await control.call('POST', `${path}/kill`, { token: admin, ...because })).status).toBe(200);
  });

  it.each([
    ['GET', '/v1/projects/nowhere', 404, 'project-unknown'],
    ['GET', '/v1/projects/web/channels/none', 404, 'channel-unknown'],
    ['GET', '/v1/projects/web/channels/none/flags', 404, 'channel-unknown'],
    ['GET', '/v1/projects/web/channels/stable/flags/none', 404, 'not-found'],
    ['GET', '/v1/projects/web/rollouts/00000000-0000-7000-8000-000000000001', 404, 'not-found'],
    ['GET', '/v1/projects/Web', 400, 'invalid-input'],
    ['GET', '/v1/projects/_system', 400, 'invalid-input'],
    ['GET', '/v1/projects/web/rollouts/x', 400, 'invalid-input'],
    ['GET', '/v1/admin/doctor', 404, 'not-found'],
    ['POST', '/v1/projects', 400, 'invalid-input'],
  ])('%s %s is refused with %i %s', async (method, path, status, code) => {
    const { status: got, body } = await control.call(method, path, { token: admin });
    expect([got, body.error.code]).toEqual([status, code]);
    expect(body.error.next).not.toBe('');
  });

  it('revokes a token at once and lets an expired one in no more', async () => {
    const { body: created } = await control.call('POST', '/v1/tokens', {
      token: admin,
      body: { name: 'ci', role: 'viewer', expiresAt: control.clock.ms + 60_000, why: 'pipeline' },
    });
    expect(created.secret).toMatch(/^hg_[A-Za-z0-9_-]{43}$/);
    const whoami = async () => (await control.call('GET', '/v1/whoami', { token: created.secret })).status;
    expect(await whoami()).toBe(200);
    control.clock.ms += 60_000;
    expect(await whoami()).toBe(401);
    control.clock.ms -= 1;
    expect(await whoami()).toBe(200);
    await control.call('POST', `/v1/tokens/${created.id}/revoke`, { token: admin, ...because });
    expect(await whoami()).toBe(401);
    const listed = await control.call('GET', '/v1/tokens', { token: admin });
    expect(JSON.stringify(listed.body)).not.toMatch(/secret/i);
  });

  it("never shows a token's secret twice, not even to the same command id", async () => {
    const request = {
      token: admin,
      body: { name: 'ci', role: 'viewer', why: 'pipeline' },
      headers: { 'idempotency-key': randomUUID() },
    };
    expect((await control.call('POST', '/v1/tokens', request)).status).toBe(201);
    const again = await control.call('POST', '/v1/tokens', request);
    expect([again.status, again.body.error.code, again.body.secret]).toEqual([
      409,
      'already-exists',
      undefined,
    ]);
  });

  it('keeps secrets out of log and events', async () => {
    const { body } = await control.call('POST', '/v1/tokens', {
      token: admin,
      body: { name: 'ci', role: 'viewer', why: 'pipeline' },
    });
    const events: string[] = [];
    for await (const { event } of control.store.read()) events.push(JSON.stringify(event));
    for (const secret of [admin, body.secret])
      expect([...events, ...control.lines].join()).not.toContain(secret);
    expect(events.some((event) => event.includes(`"actor":"token:`))).toBe(true);
  });

  it('hands plans and operations to whoever has them', async () => {
    const ask = () =>
      control.call('POST', '/v1/projects/web/rollout-plan', {
        token: admin,
        body: { channel: 'stable', flag: 'new-parser' },
      });
    const nobody = await ask();
    expect([nobody.status, nobody.body.error.code]).toEqual([503, 'analysis-unavailable']);
    control.streams.answer(PLAN_QUESTIONS, async (data) => {
      const { project, channel, policy } = JSON.parse(Buffer.from(data).toString());
      return Buffer.from(JSON.stringify({ ok: true, plan: { project, channel, alpha: policy.alpha } }));
    });
    const plan = await ask();
    expect([plan.status, plan.body]).toEqual([200, { project: 'web', channel: 'stable', alpha: 0.05 }]);
    const verified = await control.call('POST', '/v1/admin/log/verify', { token: admin, body: {} });
    expect(verified.body).toEqual({ ok: true, events: 3 });
  });

  it('says that the log is away, and that nothing was written', async () => {
    control.streams.disconnect();
    const { status, body, headers } = await control.call('POST', `${flag}/kill`, {
      token: admin,
      ...because,
    });
    expect([status, body.error.code, headers.get('retry-after')]).toEqual([503, 'log-unavailable', '1']);
    control.streams.reconnect();
    expect((await control.call('GET', flag, { token: admin })).body.status).toBe('active');
  });
});

describe('a watched rollout', () => {
  const start = async (): Promise<string> => {
    const { body } = await control.call('POST', '/v1/projects/web/rollouts', {
      token: admin,
      body: { channel: 'stable', flag: 'new-parser', variant: 'on', why: 'try' },
    });
    return body.id;
  };
  const watch = async (id: string): Promise<AsyncIterator<string>> => {
    const answer = await fetch(`${control.service.url}/v1/projects/web/rollouts/${id}/watch`, {
      headers: { authorization: `Bearer ${admin}` },
    });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    return blocks(answer.body as unknown as AsyncIterable<Uint8Array>);
  };
  const next = async (
    stream: AsyncIterator<string>,
  ): Promise<{ event: string; data: RolloutView } | null> => {
    for (;;) {
      const { value, done } = await stream.next();
      if (done) return null;
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(value) ?? [];
      if (event && data) return { event, data: JSON.parse(data) };
    }
  };

  it('is shown at once, then looks and facts as they come, and the stream ends with it', async () => {
    const id = await start();
    const stream = await watch(id);
    expect(await next(stream)).toMatchObject({ event: 'rollout', data: { id, status: 'pre-period' } });
    const look = {
      rolloutId: id,
      step: 0,
      weightPpm: 10_000,
      at: 1,
      decision: 'wait',
      code: 'bake',
      reasons: [],
    };
    const figures = { evidence: 1, threshold: 20, instances: { canary: 1, baseline: 9 }, onInstanceHours: 0 };
    control.streams.publishCore(looksSubject('web', id), Buffer.from('not json'));
    control.streams.publishCore(
      looksSubject('web', id),
      Buffer.from(JSON.stringify({ ...look, ...figures })),
    );
    const seen = [];
    while (seen.at(-1) !== 'look') seen.push((await next(stream))?.event);
    const aborted = await control.call('POST', `/v1/projects/web/rollouts/${id}/abort`, {
      token: admin,
      ...because,
    });
    expect(aborted.status).toBe(200);
    const statuses: (string | undefined)[] = [];
    for (let event = await next(stream); event; event = await next(stream)) statuses.push(event.data.status);
    expect(statuses.at(-1)).toBe('aborted');
  });

  it('takes objections of who may release, once of each source, and shows them with their weight', async () => {
    const id = await start();
    const path = `/v1/projects/web/rollouts/${id}/object`;
    const object = (body: object, token = admin) => control.call('POST', path, { token, body });
    const why = 'the till stays shut';
    const vendor = { signal: 'local-rollback', source: { kind: 'vendor', name: 'acme' }, why };
    expect((await object({ why })).status).toBe(200);
    expect((await object(vendor)).status).toBe(200);
    const again = await object({ why: 'once more' });
    expect([again.status, again.body.error.code]).toEqual([409, 'already-exists']);
    for (const wrong of [{}, { why, signal: 'crash' }, { why, source: { kind: 'site', name: 'No Name' } }])
      expect((await object(wrong)).status).toBe(400);
    const { body } = await control.call('GET', `/v1/projects/web/rollouts/${id}`, { token: admin });
    expect(body.signals).toEqual([
      {
        id: expect.any(String),
        signal: 'objection',
        source: { kind: 'site', name: 'local' },
        at: expect.any(Number),
        weightPpm: 0,
        why,
      },
      expect.objectContaining({ signal: 'local-rollback', source: { kind: 'vendor', name: 'acme' } }),
    ]);
  });

  it('has no verdict to give to a pipeline before the judge spoke', async () => {
    const id = await start();
    const { status, body } = await control.call('GET', `/v1/projects/web/rollouts/${id}/verdict`, {
      token: admin,
    });
    expect([status, body.error.code]).toEqual([409, 'rollout-not-there-yet']);
  });
});

async function* blocks(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let text = '';
  for await (const chunk of body) {
    text += Buffer.from(chunk).toString('utf8');
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
    }
  }
}
