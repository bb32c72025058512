import { type GatewayUsage, gatewayUsage } from '@headgate/contracts';
import { Log } from '@headgate/service-kit';
import { until } from '../../../../test/support/until.js';
import type { GatewayOptions } from '../gateway-options.js';
import { UsageCounter } from './usage.js';
import { UsageReporter } from './usage-reporter.js';

describe('UsageReporter', () => {
  let now: number;
  let counter: UsageCounter;
  let told: GatewayUsage[][];
  let isAway: boolean;
  let reporter: UsageReporter;

  beforeEach(() => {
    [now, told, isAway] = [1_000, [], false];
    counter = new UsageCounter(() => now);
    const usage = {
      gateway: 'ab'.repeat(32),
      everyMs: 10,
      tell: async (documents: readonly GatewayUsage[]) => {
        if (isAway) throw new Error('away');
        told.push([...documents]);
      },
    };
    const options = {
      usage,
      now: () => now,
      newId: () => '01900000-0000-7000-8000-000000000001',
    } as unknown as GatewayOptions;
    const log = new Log({ service: 'spec', level: 'error', now: Date.now, write: () => {} });
    reporter = new UsageReporter(options, counter, log);
  });
  afterEach(() => reporter.onApplicationShutdown());

  const next = async (): Promise<GatewayUsage[]> => {
    const before = told.length;
    await until('a report', () => told.length > before);
    return told.at(-1) ?? [];
  };

  it('tells totals as the contract has them: what was asked, what was listed, and what is unknown', async () => {
    counter.count('shop', 'stable', 'a', 'on');
    counter.count('shop', 'stable', 'a', null);
    counter.count('shop', 'stable', 'b', 'off', 'listed');
    counter.count('shop', 'stable', 'lost', null, 'unknown');
    const documents = await next();
    expect(documents).toEqual([
      {
        schema: 'headgate.gateway-usage.v1',
        project: 'shop',
        channel: 'stable',
        gateway: 'ab'.repeat(32),
        bootId: '01900000000070008000000000000001',
        seq: expect.any(Number),
        asked: [
          { flag: 'a', variant: 'on', count: 1 },
          { flag: 'a', count: 1 },
        ],
        listed: [{ flag: 'b', variant: 'off', count: 1 }],
        unknownFlags: ['lost'],
      },
    ]);
    for (const document of documents) expect(gatewayUsage.safeParse(document).error).toBeUndefined();
  });

  it('tells only what moved since, and in order', async () => {
    counter.count('shop', 'stable', 'a', 'on');
    const [first] = await next();
    now += 1_000;
    counter.count('shop', 'beta', 'b', 'on');
    const second = await until('the other alone', () =>
      told.at(-1)?.length === 1 && told.at(-1)?.[0]?.channel === 'beta' ? told.at(-1) : null,
    );
    expect(second?.[0]?.seq).toBeGreaterThan(first?.seq ?? 0);
    now += 1_000;
    const quiet = told.length;
    counter.count('shop', 'beta', 'b', 'on');
    await until('its new total', () => told.at(-1)?.[0]?.asked?.[0]?.count === 2);
    expect(told.length).toBeGreaterThan(quiet);
  });

  it('loses nothing while nobody listens', async () => {
    isAway = true;
    counter.count('shop', 'stable', 'a', 'on');
    now += 5_000;
    counter.count('shop', 'stable', 'b', 'on');
    isAway = false;
    const [document] = await next();
    expect(document?.asked?.map(({ flag }) => flag)).toEqual(['a', 'b']);
  });

  it('parts what would be too long, within what the contract allows', async () => {
    for (let i = 0; i < 1_200; i += 1) counter.count('shop', 'stable', `flag-${i}`, 'on');
    for (let i = 0; i < 300; i += 1) counter.count('shop', 'stable', `lost-${i}`, null, 'unknown');
    const documents = await next();
    expect(documents.flatMap(({ asked }) => asked ?? [])).toHaveLength(1_200);
    expect(new Set(documents.map(({ seq }) => seq)).size).toBe(documents.length);
    expect(documents.flatMap(({ unknownFlags }) => unknownFlags ?? [])).toHaveLength(100);
    for (const document of documents) expect(gatewayUsage.safeParse(document).error).toBeUndefined();
  });

  it('says its last word at the end', async () => {
    counter.count('shop', 'stable', 'a', 'on');
    await next();
    now += 1_000;
    counter.count('shop', 'stable', 'late', 'on');
    await reporter.onApplicationShutdown();
    expect(
      told
        .flat()
        .flatMap(({ asked }) => asked ?? [])
        .map(({ flag }) => flag),
    ).toContain('late');
  });
});
