import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlagUsageView } from '@headgate/contracts';
import { connectHeadgate, type Headgate } from '@headgate/sdk';
import { Log } from '@headgate/service-kit';
import { type RunningStandalone, standaloneConfig, startStandalone } from '@headgate/standalone';
import { run } from '../../apps/cli/src/index.js';
import { terminalIn } from '../../apps/cli/src/terminal.fixture.js';
import { until } from '../support/until.js';

const DAY_MS = 86_400_000;
const REPORTS = '/telemetry/v1/reports';
const folder = mkdtempSync(join(tmpdir(), 'hg-life-'));
/** What the installation's clock is ahead of ours. */
let aheadMs = 0;
let site: RunningStandalone | null = null;
let adminToken = '';
let relay: Server;
/** Bodies of every report the collector took, byte for byte. */
const reports: string[] = [];
const clients: Headgate[] = [];

const start = async (): Promise<RunningStandalone> => {
  const log = new Log({ service: 'spec', level: 'error', now: Date.now, write: () => {} });
  const config = standaloneConfig.parse({ dataDir: join(folder, '.headgate') });
  site = await startStandalone(config, log, () => Date.now() + aheadMs);
  adminToken = site.ready.adminToken ?? adminToken;
  return site;
};
const restart = async (): Promise<RunningStandalone> => {
  await site?.close();
  return start();
};
const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const answer = await fetch(`${site?.ready.url}/v1/projects${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
};
const post = (body: string): Promise<Response> =>
  fetch(`${site?.ready.url}${REPORTS}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${site?.ready.ingestToken}`, 'content-type': 'application/json' },
    body,
  });
const headgate = async (line: string): Promise<string> => {
  const env = { HEADGATE_SERVER: site?.ready.url ?? '', HEADGATE_TOKEN: adminToken };
  const { terminal, out, err } = terminalIn(folder, env);
  const exit = await run(line.split(' '), terminal, '0.0.0');
  if (exit !== 0) throw new Error(err());
  return out();
};
const createFlag = (key: string, more: object = {}) =>
  call('POST', '/shop/channels/stable/flags', {
    key,
    definition: {
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      targeting: { if: [{ '==': [{ var: 'beta' }, true] }, 'on', 'off'] },
      ...more,
    },
    why: 'spec',
  });
const usageOf = (key: string): Promise<FlagUsageView> =>
  call('GET', `/shop/channels/stable/flags/${key}/usage`);
const counts = ({ variants }: FlagUsageView): Record<string, number> =>
  Object.fromEntries(variants.map(({ variant, source, count }) => [`${variant} ${source}`, count]));
const totalOf = (body: string): number | undefined => {
  const { exposures = [] } = JSON.parse(body) as {
    exposures?: { flag: string; variant?: string; count: number }[];
  };
  return exposures.find(({ flag, variant }) => flag === 'checkout' && variant === 'on')?.count;
};
const connect = async (instanceId: string): Promise<Headgate> => {
  const { port } = relay.address() as AddressInfo;
  const client = connectHeadgate({
    url: site?.ready.url ?? '',
    telemetryUrl: `http://127.0.0.1:${port}`,
    token: site?.ready.ingestToken ?? '',
    project: 'shop',
    channel: 'stable',
    root: site?.ready.rootPin ?? '',
    instanceId,
    siteSalt: 'salt',
    reportEveryMs: 1_000,
  });
  clients.push(client);
  expect(await client.ready(20_000)).toBe(true);
  await until('the flags', () => client.details('checkout', false).variant === 'off');
  return client;
};

beforeAll(async () => {
  // Between the instances and the collector, so that what was sent can be sent again.
  relay = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', async () => {
      const body = Buffer.concat(parts).toString();
      const answer = await post(body);
      if (answer.status === 202) reports.push(body);
      response.writeHead(answer.status).end(await answer.text());
    });
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  await start();
  await call('POST', '', { slug: 'shop', why: 'spec' });
  await call('POST', '/shop/channels', { slug: 'stable', why: 'spec' });
  await createFlag('checkout');
  await createFlag('by-new-year', { expires: Date.now() + DAY_MS });
  await createFlag('breaker', { type: 'operational' });
  await createFlag('stays', { type: 'kill-switch' });
}, 120_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await site?.close();
  await new Promise((resolve) => relay.close(resolve));
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('the life of a flag', () => {
  const expected = { 'on instance': 30, 'off instance': 0 };

  it('is counted as it was evaluated, once, however often reports are delivered, through a restart', async () => {
    for (const [n, name] of ['one', 'two', 'three'].entries()) {
      const client = await connect(name);
      const evaluate = (times: number): void => {
        for (let k = 0; k < times; k += 1)
          expect(client.boolean('checkout', false, { beta: true })).toBe(true);
      };
      // Two reports of different totals, so that their order matters.
      evaluate(4);
      const before = reports.length;
      const isReported = (total: number) => (): boolean =>
        reports.slice(before).some((body) => totalOf(body) === total);
      await until('a report of the first four', isReported(4));
      for (let k = 0; k <= n; k += 1) client.boolean('checkout', false, {});
      client.boolean('chekcout', false);
      evaluate(6);
      await until('a report of all ten', isReported(10));
    }
    // The reports hold all totals, what was evaluated to see the flags arrive included.
    await Promise.all(clients.splice(0).map((client) => client.close()));
    const totals = new Map<string, number>();
    for (const body of reports) {
      // Absent from a report of before the first evaluation.
      const { bootId, exposures = [] } = JSON.parse(body) as {
        bootId: string;
        exposures?: { flag: string; variant?: string; count: number }[];
      };
      for (const { flag, variant, count } of exposures) totals.set(`${bootId} ${flag} ${variant}`, count);
    }
    const sum = (end: string): number =>
      [...totals].filter(([name]) => name.endsWith(end)).reduce((all, [, count]) => all + count, 0);
    expected['off instance'] = sum(' checkout off');
    expect(sum(' checkout on')).toBe(30);
    expect(expected['off instance']).toBeGreaterThanOrEqual(6);
    await until('the counts', async () => (await usageOf('checkout')).count >= 30 + expected['off instance']);
    expect(counts(await usageOf('checkout'))).toMatchObject(expected);

    // Clients that do not report are counted where they are evaluated; the gateway tells of it now and then, and before it ends.
    const ofrep = `${site?.ready.url}/flags/shop/stable/ofrep/v1/evaluate/flags`;
    const context = JSON.stringify({ context: { targetingKey: 'page', beta: true } });
    const headers = { 'content-type': 'application/json' };
    for (const path of ['/checkout', '/checkout', '/nowhere', ''])
      await fetch(`${ofrep}${path}`, { method: 'POST', headers, body: context });

    // Twice more and in the wrong order, as retries and a redelivering server would have it; then one that is new.
    for (const body of [...reports, ...reports.toReversed()]) expect((await post(body)).status).toBe(202);
    await restart();
    const marker = JSON.parse(reports.at(-1) ?? '') as { bootId: string };
    const fresh = {
      ...marker,
      bootId: 'f'.repeat(32),
      exposures: [{ flag: 'stays', variant: 'on', count: 1 }],
    };
    expect((await post(JSON.stringify(fresh))).status).toBe(202);
    await until('what came last', async () => (await usageOf('stays')).count === 1);
    const after = await usageOf('checkout');
    expect(counts(after)).toEqual({ ...expected, 'on gateway': 2, 'on list': 1 });
    expect(
      after.variants.find(({ variant, source }) => variant === 'on' && source === 'instance')?.instances,
    ).toBe(3);
  }, 120_000);

  it('is shown to people, with the key that nobody defined', async () => {
    const shown = await headgate('flag usage checkout --project shop --channel stable');
    expect(shown).toMatch(/^served: +\d+$/m);
    expect(shown).toMatch(/^on +SDK +30 +~3 /m);
    const unknown = await headgate('flag list --unknown --project shop --channel stable');
    expect(unknown).toMatch(/^chekcout +3 /m);
    expect(unknown).toMatch(/^nowhere +1 /m);
    expect(unknown).not.toContain('checkout ');
    expect(await headgate('flag list --stale --project shop --channel stable -o name')).toBe('');
  }, 60_000);

  it('ends: past its expiry a flag is stale, past what its type lives potentially so, each with the reason', async () => {
    aheadMs = 15 * DAY_MS;
    await restart();
    const shown = await headgate('flag list --stale --project shop --channel stable');
    expect(shown).toMatch(/^by-new-year +stale +yes +was to be gone by \d{4}-\d\d-\d\d$/m);
    expect(shown).toMatch(
      /^breaker +potentially-stale +no +is 15 days old; flags of type operational live 7 days/m,
    );
    expect(shown).not.toMatch(/^(checkout|stays) /m);
    const one = await headgate('flag get breaker --project shop --channel stable');
    expect(one).toMatch(/^stage: +potentially-stale\nreasons: +is 15 days old/m);
    expect((await usageOf('by-new-year')).health).toMatchObject({ stage: 'stale', isExpired: true });
  }, 120_000);
});
