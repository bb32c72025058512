import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { instanceReport } from '@headgate/contracts';
import {
  type Script,
  type ScriptedGateway,
  startScriptedGateway,
} from '../../../../test/support/scripted-gateway.js';
import { SignedChannel } from '../../../../test/support/signed-channel.js';
import { until } from '../../../../test/support/until.js';
import { connectHeadgate } from '../connect-headgate.js';
import { machineEnvironment } from '../environment.js';
import type { Headgate } from '../headgate.js';
import type { HeadgateOptions } from '../options/options.js';

describe('reports', () => {
  let gateway: ScriptedGateway;
  let client: Headgate | null;
  let channel: SignedChannel;

  beforeEach(() => {
    channel = new SignedChannel();
    client = null;
  });
  afterEach(async () => {
    await client?.close();
    await gateway.close();
  });

  const start = async (script: Script, options: Partial<HeadgateOptions> = {}): Promise<Headgate> => {
    gateway = await startScriptedGateway({ onStream: (s) => s.send('state', channel.state()), ...script });
    client = connectHeadgate(
      {
        url: gateway.url,
        project: 'shop',
        channel: 'stable',
        root: channel.pin,
        instanceId: 'host-1',
        siteSalt: 'salt',
        version: { upstream: '25.1', vendor: '0vendor2' },
        token: 'secret-token',
        reportEveryMs: 1_000,
        ...options,
      },
      { ...machineEnvironment, random: () => 0, variables: {} },
    );
    await client.ready(10_000);
    return client;
  };
  const bodies = () => gateway.reports.map(({ body }) => instanceReport.parse(JSON.parse(body)));

  it('say what was served and counted, under the contract, with the token', async () => {
    channel.commit(channel.document(1, { defaultVariant: 'on' }), channel.document(2));
    const headgate = await start({});
    headgate.boolean('flag-1', false);
    headgate.counter('requests').add(3);
    headgate.gauge('latency').set(2);
    headgate.event('crash');
    headgate.health('degraded');
    await headgate.close();
    const [last] = bodies().slice(-1);
    expect(last).toMatchObject({
      project: 'shop',
      channel: 'stable',
      instance: headgate.status().telemetry.instance,
      bootId: headgate.status().telemetry.bootId,
      seq: gateway.reports.length,
      version: { upstream: '25.1', vendor: '0vendor2' },
      health: 'degraded',
      flags: [{ name: 'flag-1', value: 'on' }],
      metrics: { counters: { requests: 3 }, gauges: { latency: { sum: 2, count: 1 } } },
    });
    expect(last?.metrics?.events.crash).toBeGreaterThan(0);
    expect(gateway.reports.at(-1)?.authorization).toBe('Bearer secret-token');
  });

  it('count what was served and what was asked for in vain, since the process began', async () => {
    channel.commit(
      channel.document(1, { defaultVariant: 'on' }),
      channel.document(2, { state: 'DISABLED' }),
      channel.document(3),
    );
    const headgate = await start({});
    for (let i = 0; i < 3; i += 1) headgate.boolean('flag-1', false);
    headgate.details('flag-1', false);
    headgate.string('flag-1', 'text');
    headgate.boolean('flag-2', true);
    for (const key of ['nobody', 'nobody', 'new-flag', 'no key']) headgate.boolean(key, true);
    gateway.streams[0]?.send('commit', channel.commit(channel.document(4, { key: 'new-flag' })));
    await until('the new flag', () => !headgate.boolean('new-flag', true));
    await headgate.close();
    const last = bodies().at(-1);
    expect(last?.exposures).toEqual([
      { flag: 'flag-1', variant: 'on', count: 4 },
      { flag: 'flag-1', count: 1 },
      { flag: 'flag-2', count: 1 },
      { flag: 'new-flag', variant: 'off', count: expect.any(Number) },
    ]);
    expect(last?.unknownFlags).toEqual(['nobody']);
    expect(headgate.status().telemetry.dropped).toEqual({ reports: 0, exposures: 0, unknownFlags: 0 });
  });

  it('that were not accepted wait in order, and are all sent in the end', async () => {
    let isDown = true;
    const headgate = await start({ onReport: () => (isDown ? 'hang up' : { status: 202 }) });
    await until('a failure', () => gateway.reports.length > 0);
    const since = bodies()[0]?.window.endedAt ?? 0;
    await until('more reports to be due', () => Date.now() - since > 2_100);
    isDown = false;
    await until('acceptance', () => headgate.status().telemetry.accepted >= 3);
    const seqs = bodies().map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(new Set(seqs).size).toBe(seqs.at(-1));
  });

  it('are sent again, the same bytes, until they are accepted', async () => {
    const headgate = await start({
      onReport: (_body, nth) => {
        if (nth === 1) return 'hang up';
        return nth < 4 ? { status: 503, headers: { 'retry-after': '0' } } : { status: 202 };
      },
    });
    headgate.counter('requests').add();
    await until('acceptance', () => headgate.status().telemetry.accepted === 1);
    expect(new Set(gateway.reports.slice(0, 4).map(({ body }) => body)).size).toBe(1);
    await until('the next report', () => gateway.reports.length > 4);
    expect(bodies()[4]?.seq).toBe(2);
  });

  it('that the collector will never take are given up, and the next one is tried', async () => {
    const headgate = await start({ onReport: (_body, nth) => ({ status: nth === 1 ? 400 : 202 }) });
    await until('acceptance', () => headgate.status().telemetry.accepted === 1);
    expect(bodies().map(({ seq }) => seq)).toEqual([1, 2]);
    expect(headgate.status().problems.map(({ code }) => code)).toContain('report-refused');
  });

  it('come as often as a rollout under way asks for', async () => {
    channel.commit(
      channel.document(1, {
        rollout: {
          id: channel.document(1).flagId,
          seed: 's',
          variant: 'on',
          weightPpm: 1,
          reportEveryMs: 1_000,
        },
      }),
    );
    await start({}, { reportEveryMs: 3_600_000 });
    await until('reports', () => gateway.reports.length >= 2);
    expect(
      bodies()
        .map(({ seq }) => seq)
        .slice(0, 2),
    ).toEqual([1, 2]);
  });

  it('are not sent where the operator said no', async () => {
    const headgate = await start({}, { telemetry: false });
    headgate.counter('requests').add();
    await headgate.close();
    expect(gateway.reports).toHaveLength(0);
    expect(headgate.status().telemetry.isOn).toBe(false);
  });

  it('do not hold up the end for a collector that does not answer', async () => {
    const headgate = await start({ onReport: () => 'hang up' });
    await headgate.close();
    expect(headgate.status().connection).toBe('off');
    expect(gateway.reports.length).toBeGreaterThan(0);
  });

  it('tell in the next process what the last one crashed of, once', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'hg-crashed-'));
    try {
      const refusing = await start({ onReport: () => ({ status: 503 }) }, { dataDir });
      refusing.crashed('null in till');
      await refusing.close();
      await gateway.close();
      const next = await start({}, { dataDir });
      await next.close();
      expect(bodies().flatMap(({ crash }) => (crash ? [crash] : []))).toEqual([
        { signature: 'null in till', at: expect.any(Number) },
      ]);
      await gateway.close();
      client = await start({}, { dataDir });
      await client.close();
      expect(bodies().filter(({ crash }) => crash)).toEqual([]);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
