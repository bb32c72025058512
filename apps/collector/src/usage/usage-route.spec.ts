import { type GatewayUsage, gatewayUsagePack, type Problem, STREAMS } from '@headgate/contracts';
import { FixedBearers, Log, type RunningService, runService, secretHash } from '@headgate/service-kit';
import { declareInstallation, type MemoryStreams, openMemoryStreams } from '@headgate/streams';
import { appendTo, CollectorModule } from '../collector.module.js';

const NOW = 1_780_000_000_000;
const bearers = new FixedBearers([
  { secretHash: secretHash('any'), caller: { tokenId: 't1', role: 'viewer', project: null } },
  { secretHash: secretHash('shop-only'), caller: { tokenId: 't2', role: 'viewer', project: 'shop' } },
]);
let streams: MemoryStreams;
let service: RunningService;

beforeEach(async () => {
  streams = openMemoryStreams({ now: () => NOW });
  await declareInstallation(streams, { now: NOW });
  const log = new Log({ service: 'spec', level: 'error', now: () => 0, write: () => {} });
  const module = CollectorModule.register({ bearers, clock: () => NOW, append: appendTo(streams) });
  service = await runService({ name: 'spec', log, drainMs: 300, modules: [module] });
});
afterEach(async () => {
  await service.close();
  await streams.close();
});

const usage = (seq: number, project = 'shop', many = 1): GatewayUsage => ({
  schema: 'headgate.gateway-usage.v1',
  project,
  channel: 'stable',
  gateway: 'ab'.repeat(32),
  bootId: 'cd'.repeat(16),
  seq,
  asked: Array.from({ length: many }, (_, n) => ({
    flag: `${'f'.repeat(190)}${n}`,
    variant: 'on',
    count: 3,
  })),
  unknownFlags: ['lost'],
});
const post = async (body: unknown, token = 'any'): Promise<{ status: number; body: unknown }> => {
  const answer = await fetch(`${service.url}/telemetry/v1/usage`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
};
const codeOf = ({ body }: { body: unknown }): string => (body as Problem).error.code;
const stored = async () => {
  const packs = [];
  for await (const { subject, data } of streams.readRange(STREAMS.telemetry, { from: 1 }))
    packs.push({ subject, ...gatewayUsagePack.parse(JSON.parse(Buffer.from(data).toString())) });
  return packs;
};

describe('POST /telemetry/v1/usage', () => {
  it('answers 202 when all is in TELEMETRY, by project, under the time it was received', async () => {
    const answer = await post({ usage: [usage(1), usage(2, 'other'), usage(3)] });
    expect(answer).toEqual({ status: 202, body: { accepted: 3 } });
    expect(await stored()).toMatchObject([
      { subject: 'hg.telemetry.shop', receivedAt: NOW, usage: [usage(1), usage(3)] },
      { subject: 'hg.telemetry.other', receivedAt: NOW, usage: [usage(2, 'other')] },
    ]);
  });

  it('puts no more into a message than a message may hold', async () => {
    const many = Array.from({ length: 4 }, (_, n) => usage(n + 1, 'shop', 1_000));
    expect((await post({ usage: many })).status).toBe(202);
    expect((await stored()).map((pack) => pack.usage.length)).toEqual([2, 2]);
  });

  it.each([
    ['no JSON', '{', 'body: is not JSON'],
    ['an empty list', { usage: [] }, /^usage: /],
    ['a field nobody knows', { usage: [{ ...usage(1), who: 'me' }] }, /^usage\.0: .*who/],
    [
      'a count of none',
      { usage: [{ ...usage(1), asked: [{ flag: 'a', count: 0 }] }] },
      /^usage\.0\.asked\.0\.count/,
    ],
  ])('refuses %s, and keeps nothing', async (_what, body, detail) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect((answer.body as Problem).error.details?.[0]).toEqual(
      typeof detail === 'string' ? detail : expect.stringMatching(detail),
    );
    expect(await stored()).toEqual([]);
  });

  it('asks for a token, keeps it to its project, and says when TELEMETRY is away', async () => {
    expect(codeOf(await post({ usage: [usage(1)] }, 'other'))).toBe('unauthenticated');
    expect(codeOf(await post({ usage: [usage(1), usage(2, 'other')] }, 'shop-only'))).toBe('forbidden');
    expect((await post({ usage: [usage(1)] }, 'shop-only')).status).toBe(202);
    streams.disconnect();
    expect(codeOf(await post({ usage: [usage(2)] }))).toBe('log-unavailable');
  });
});
