import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Problem, REPORT_LIMITS, STREAMS, telemetryPack } from '@headgate/contracts';
import { FixedBearers, Log, type RunningService, runService, secretHash } from '@headgate/service-kit';
import { declareInstallation, type MemoryStreams, openMemoryStreams, Unavailable } from '@headgate/streams';
import fc from 'fast-check';
import { appendTo, CollectorModule } from '../collector.module.js';
import type { CollectorOptions } from '../collector-options.js';

const NOW = 1_780_000_000_000;
const report = (seq = 1, more: object = {}) => ({
  schema: 'headgate.report.v1',
  project: 'shop',
  channel: 'stable',
  instance: 'ab'.repeat(32),
  bootId: '0123456789abcdef'.repeat(2),
  seq,
  version: { upstream: '25.1' },
  health: 'ok',
  flags: [],
  window: { startedAt: NOW + 9_000_000, endedAt: NOW + 9_000_001 },
  ...more,
});

const bearers = new FixedBearers([
  { secretHash: secretHash('any'), caller: { tokenId: 't1', role: 'viewer', project: null } },
  { secretHash: secretHash('shop-only'), caller: { tokenId: 't2', role: 'viewer', project: 'shop' } },
]);
let streams: MemoryStreams;
let service: RunningService;
let append: CollectorOptions['append'];

beforeEach(async () => {
  streams = openMemoryStreams({ now: () => NOW });
  await declareInstallation(streams, { now: NOW });
  append = appendTo(streams);
  const log = new Log({ service: 'spec', level: 'error', now: () => 0, write: () => {} });
  service = await runService({
    name: 'spec',
    log,
    drainMs: 300,
    modules: [
      CollectorModule.register({
        bearers,
        clock: () => NOW,
        limits: { maxHeldBytes: 600_000 },
        append: (subject, data) => append(subject, data),
      }),
    ],
  });
});
afterEach(async () => {
  await service.close();
  await streams.close();
});

const post = (
  body: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${service.url}/telemetry/v1/reports`, {
    method: 'POST',
    headers: { authorization: 'Bearer any', 'content-type': 'application/json', ...headers },
    body,
  });
const problemOf = async (answer: Response) => ({
  status: answer.status,
  ...((await answer.json()) as Problem).error,
});
const stored = async () => {
  const packs = [];
  for await (const { subject, data } of streams.readRange(STREAMS.telemetry, { from: 1 }))
    packs.push({ subject, ...telemetryPack.parse(JSON.parse(Buffer.from(data).toString())) });
  return packs;
};

describe('POST /telemetry/v1/reports', () => {
  it('answers 202 when one report is in TELEMETRY, under the time it was received', async () => {
    const answer = await post(JSON.stringify(report()));
    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: 202,
      body: { accepted: 1 },
    });
    expect(await stored()).toMatchObject([
      { subject: 'hg.telemetry.shop', receivedAt: NOW, reports: [report()] },
    ]);
  });

  it('takes a batch of several projects, in gzip', async () => {
    const body = gzipSync(
      JSON.stringify({ reports: [report(1), report(2, { project: 'other' }), report(3)] }),
    );
    const answer = await post(body, { 'content-encoding': 'gzip' });
    expect(await answer.json()).toEqual({ accepted: 3 });
    expect((await stored()).map(({ subject, reports }) => [subject, reports.map(({ seq }) => seq)])).toEqual([
      ['hg.telemetry.shop', [1, 3]],
      ['hg.telemetry.other', [2]],
    ]);
  });

  it('refuses a batch with one wrong report whole, and names each wrong field', async () => {
    const body = { reports: [report(1), report(0), { ...report(2), hostname: 'secret-host' }] };
    const problem = await problemOf(await post(JSON.stringify(body)));
    expect(problem).toMatchObject({
      status: 400,
      code: 'invalid-input',
      details: [
        'reports[1]: seq: must be an integer from 1',
        'reports[2]: "hostname": nobody knows this field',
      ],
    });
    expect(JSON.stringify(problem)).not.toContain('secret-host');
    expect(await stored()).toEqual([]);
  });

  it('asks for a token before it reads the body, and keeps a token to its project', async () => {
    const none = await problemOf(await post('{}', { authorization: '' }));
    const wrong = await problemOf(await post('{}', { authorization: 'Bearer other' }));
    expect([none.code, wrong.code]).toEqual(['unauthenticated', 'unauthenticated']);
    const asShop = { authorization: 'Bearer shop-only' };
    expect((await post(JSON.stringify(report()), asShop)).status).toBe(202);
    const stranger = await problemOf(await post(JSON.stringify(report(2, { project: 'other' })), asShop));
    expect(stranger).toMatchObject({ status: 403, code: 'forbidden' });
  });

  it('stops a zip bomb, a long body, a long batch and a long report with 413 or 400', async () => {
    const gzip = { 'content-encoding': 'gzip' };
    const bomb = gzipSync(Buffer.alloc(64 * 1_048_576, 0x20), { level: 9 });
    expect(bomb.length).toBeLessThan(REPORT_LIMITS.maxCompressedBytes);
    expect((await post(bomb, gzip)).status).toBe(413);
    expect((await post(Buffer.alloc(REPORT_LIMITS.maxBodyBytes + 1, 0x20))).status).toBe(413);
    expect((await post(gzipSync(randomBytes(REPORT_LIMITS.maxCompressedBytes + 1)), gzip)).status).toBe(413);
    const padded = `${JSON.stringify(report())}${' '.repeat(300_000)}`;
    expect((await post(padded)).status).toBe(413);
    const many = { reports: Array.from({ length: 1_001 }, (_, n) => report(n + 1)) };
    expect(await problemOf(await post(JSON.stringify(many)))).toMatchObject({ status: 400 });
    expect(await stored()).toEqual([]);
  });

  it('says 503 with Retry-After while the server is away, and holds no more than its limit', async () => {
    append = () => Promise.reject(new Unavailable('no server'));
    const away = await post(JSON.stringify(report()));
    expect({ retry: away.headers.get('retry-after'), code: (await problemOf(away)).code }).toEqual({
      retry: '1',
      code: 'log-unavailable',
    });
    let letGo = (): void => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    append = async (subject, data) => {
      await gate;
      return appendTo(streams)(subject, data);
    };
    const counters = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`c${i}`.padEnd(100, 'x'), 1]));
    const wide = JSON.stringify(report(1, { metrics: { counters } }));
    const answers = Array.from({ length: 20 }, () => post(wide));
    const refused = await Promise.any(
      answers.map(async (answer) => {
        const { status, headers } = await answer;
        if (status !== 429) throw new Error(`${status}`);
        return headers.get('retry-after');
      }),
    );
    expect(refused).toBe('1');
    letGo();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    const taken = statuses.filter((status) => status === 202).length;
    expect(taken + statuses.filter((status) => status === 429).length).toBe(20);
    expect((await stored()).flatMap(({ reports }) => reports).length).toBe(taken);
    expect((await post(wide)).status).toBe(202);
  });

  it('keeps the text it checked: names given twice and odd spellings mean downstream what they meant here', async () => {
    const text = JSON.stringify(report()).replace('"seq":1', '"seq":"x","s\\u0065q":7 ');
    expect((await post(text)).status).toBe(202);
    expect((await stored())[0]?.reports[0]?.seq).toBe(7);
  });

  it('answers any bytes with 4xx or takes them as reports, never 5xx; what it took is valid', async () => {
    const seen: Record<number, number> = {};
    const spliced = fc
      .tuple(fc.nat({ max: 400 }), fc.nat({ max: 2 }), fc.uint8Array({ maxLength: 2 }))
      .map(([from, length, bytes]) => {
        const text = Buffer.from(JSON.stringify(report()));
        return Buffer.concat([text.subarray(0, from), bytes, text.subarray(from + length)]);
      });
    const body = fc.oneof(
      spliced,
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((json) => Buffer.from(json)),
      fc.json().map((json) => Buffer.from(`{"reports":[${json}]}`)),
      spliced.map((bytes) => gzipSync(bytes)),
      fc.integer({ min: -2, max: 20 }).map((seq) => Buffer.from(JSON.stringify(report(seq)))),
    );
    const headers = fc.record({
      'content-type': fc.constantFrom(
        'application/json',
        'text/plain',
        '',
        'application/json; charset=utf-8',
      ),
      'content-encoding': fc.constantFrom('identity', 'gzip', 'br'),
    });
    const details = await fc.check(
      fc.asyncProperty(body, headers, async (bytes, head) => {
        const { status } = await post(bytes as unknown as NonNullable<RequestInit['body']>, head);
        seen[status] = (seen[status] ?? 0) + 1;
        expect(status === 202 || (status >= 400 && status < 500)).toBe(true);
      }),
      { numRuns: 400 },
    );
    process.stdout.write(
      `collector door: ${details.numRuns} runs, seed ${details.seed}, answers ${JSON.stringify(seen)}\n`,
    );
    expect(details.counterexample).toBeNull();
    expect(Object.keys(seen)).toEqual(expect.arrayContaining(['202', '400']));
    expect((await stored()).length).toBeLessThanOrEqual(seen[202] ?? 0);
    expect((await post(JSON.stringify(report()))).status).toBe(202);
  });
});
