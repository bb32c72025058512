import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Client,
  type EventDetails,
  OpenFeature,
  ProviderEvents,
  ProviderStatus,
} from '@openfeature/server-sdk';
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
import { openTestHeadgate } from '../test-headgate.js';
import { flagErrorHook, HeadgateProvider, type HeadgateProviderOptions, headgateProvider } from './index.js';

const NOWHERE = 'http://127.0.0.1:9';

describe('HeadgateProvider', () => {
  let channel: SignedChannel;
  let gateways: ScriptedGateway[];
  let headgates: Headgate[];
  let dataDir: string;
  let events: [string, EventDetails | undefined][];
  let domains = 0;

  beforeEach(() => {
    channel = new SignedChannel();
    [gateways, headgates, events] = [[], [], []];
    dataDir = mkdtempSync(join(tmpdir(), 'hg-openfeature-'));
  });
  afterEach(async () => {
    await OpenFeature.close();
    OpenFeature.clearHandlers();
    await Promise.all(headgates.map((headgate) => headgate.close()));
    await Promise.all(gateways.map((gateway) => gateway.close()));
    rmSync(dataDir, { recursive: true, force: true });
  });

  const serve = async (script: Script = {}): Promise<ScriptedGateway> => {
    const gateway = await startScriptedGateway({
      onStream: (stream) => stream.send('state', channel.state()),
      ...script,
    });
    gateways.push(gateway);
    return gateway;
  };
  const connect = (url: string, options: Partial<HeadgateOptions> = {}, random = 0): Headgate => {
    const headgate = connectHeadgate(
      {
        url,
        project: 'shop',
        channel: 'stable',
        root: channel.pin,
        instanceId: 'host-1',
        siteSalt: 'salt',
        telemetry: false,
        ...options,
      },
      { ...machineEnvironment, random: () => random, variables: {} },
    );
    headgates.push(headgate);
    return headgate;
  };
  const watched = (client: Client): Client => {
    for (const event of Object.values(ProviderEvents)) {
      client.addHandler(event, (details) => {
        events.push([event, details]);
      });
    }
    return client;
  };
  const open = async (headgate: Headgate, options: HeadgateProviderOptions = {}): Promise<Client> => {
    domains += 1;
    const domain = `domain-${domains}`;
    const client = watched(OpenFeature.getClient(domain));
    await OpenFeature.setProviderAndWait(domain, new HeadgateProvider(headgate, options));
    return client;
  };
  const told = (): string[] => events.map(([event]) => event.replace('PROVIDER_', ''));

  it('resolves every type with variant, reason and where it comes from', async () => {
    channel.commit(
      channel.document(1, { defaultVariant: 'on', metadata: { team: 'checkout', version: 'mine' } }),
      channel.document(2, { variants: { a: 'text' }, defaultVariant: 'a' }),
      channel.document(3, { variants: { a: 7 }, defaultVariant: 'a' }),
      channel.document(4, { variants: { a: { deep: [1] } }, defaultVariant: 'a' }),
      channel.document(5, { state: 'DISABLED' }),
      channel.document(6, { defaultVariant: null }),
      channel.document(7, { targeting: { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'on', null] } }),
    );
    const gateway = await serve();
    const client = await open(connect(gateway.url));
    expect(await client.getBooleanDetails('flag-1', false)).toEqual({
      flagKey: 'flag-1',
      value: true,
      variant: 'on',
      reason: 'STATIC',
      flagMetadata: {
        flagSetId: 'shop/stable',
        version: 'mine',
        team: 'checkout',
        'headgate.position': 2,
        'headgate.digest': expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(await client.getStringValue('flag-2', '')).toBe('text');
    expect(await client.getNumberValue('flag-3', 0)).toBe(7);
    expect(await client.getObjectValue('flag-4', [])).toEqual({ deep: [1] });
    expect(await client.getObjectValue('flag-4', null)).toEqual({ deep: [1] });
    for (const fallback of [true, false, true]) {
      const disabled = await client.getBooleanDetails('flag-5', fallback);
      expect(disabled).toMatchObject({ value: fallback, reason: 'DISABLED' });
      expect(disabled.errorCode).toBeUndefined();
      const none = await client.getBooleanDetails('flag-6', fallback);
      expect(none).toMatchObject({ value: fallback, reason: 'DEFAULT' });
    }
    expect(await client.getBooleanDetails('flag-7', false, { plan: 'pro' })).toMatchObject({
      value: true,
      reason: 'TARGETING_MATCH',
      flagMetadata: { flagSetId: 'shop/stable', version: '1.2' },
    });
    expect(await client.getBooleanDetails('flag-7', false, { plan: 'free' })).toMatchObject({
      value: false,
      variant: 'off',
      reason: 'DEFAULT',
    });
  });

  it("says with OpenFeature's code why the default in the code was served", async () => {
    channel.commit(
      channel.document(1, { defaultVariant: 'on' }),
      channel.document(2, { targeting: { nonsense: [] } }),
      channel.document(3, { targeting: { cat: ['no-', 'variant'] } }),
    );
    const gateway = await serve();
    const client = await open(connect(gateway.url));
    const codeOf = async (key: string) => {
      const { value, reason, errorCode } = await client.getStringDetails(key, 'mine');
      expect([value, reason]).toEqual(['mine', 'ERROR']);
      return errorCode;
    };
    // The value of another type is asked for first, so that nothing kept for it can be given out for this one.
    expect(await client.getBooleanValue('flag-1', false)).toBe(true);
    expect(await codeOf('flag-1')).toBe('TYPE_MISMATCH');
    expect(await codeOf('nobody')).toBe('FLAG_NOT_FOUND');
    expect(await codeOf('flag-2')).toBe('PARSE_ERROR');
    expect(await codeOf('flag-3')).toBe('GENERAL');
  });

  it('tells which flags changed, and gives out nothing of what was before', async () => {
    channel.commit(channel.document(1), channel.document(2));
    const gateway = await serve();
    const client = await open(connect(gateway.url));
    expect(await client.getBooleanValue('flag-1', true)).toBe(false);
    const commit = channel.commit(channel.document(1, { defaultVariant: 'on' }), {
      flagId: channel.document(2).flagId,
      ended: true,
    });
    gateway.streams[0]?.send('commit', commit);
    await until('the change', () => events.length > 1);
    expect(told()).toEqual(['READY', 'CONFIGURATION_CHANGED']);
    expect(new Set(changedKeys(events[1]?.[1]))).toEqual(new Set(['flag-1', 'flag-2']));
    expect(await client.getBooleanDetails('flag-1', false)).toMatchObject({
      value: true,
      flagMetadata: { version: '1.3' },
    });
    expect((await client.getBooleanDetails('flag-2', true)).errorCode).toBe('FLAG_NOT_FOUND');
  });

  it('merges the contexts of OpenFeature over what the instance knows of itself', async () => {
    const is = (name: string, value: string) => ({ '==': [{ var: name }, value] });
    channel.commit(
      channel.document(1, {
        targeting: {
          if: [{ and: [is('version', '25.1'), is('plan', 'pro'), is('region', 'eu')] }, 'on', 'off'],
        },
      }),
      channel.document(2, { targeting: { if: [is('targetingKey', 'user-1'), 'on', 'off'] } }),
    );
    const gateway = await serve();
    const client = await open(connect(gateway.url, { version: '25.1', attributes: { plan: 'free' } }));
    client.setContext({ region: 'eu' });
    expect(await client.getBooleanValue('flag-1', false, { plan: 'pro' })).toBe(true);
    expect(await client.getBooleanValue('flag-1', false)).toBe(false);
    expect(await client.getBooleanValue('flag-2', false, { targetingKey: 'user-1' })).toBe(true);
  });

  describe('at the start of the application', () => {
    it('does not wait longer than it was told, and comes up when the gateway does', async () => {
      let isUp = false;
      const gateway = await serve({
        onStream: (stream) => {
          if (isUp) stream.send('state', channel.state());
          else stream.end();
        },
      });
      channel.commit(channel.document(1, { defaultVariant: 'on' }));
      const opening = open(connect(gateway.url, {}, 0.001), { initTimeoutMs: 20 });
      await expect(opening).rejects.toMatchObject({ code: 'PROVIDER_NOT_READY' });
      const client = OpenFeature.getClient(`domain-${domains}`);
      expect(client.providerStatus).toBe(ProviderStatus.ERROR);
      expect(await client.getBooleanDetails('flag-1', false)).toMatchObject({
        value: false,
        errorCode: 'PROVIDER_NOT_READY',
      });
      isUp = true;
      await until('flags', () => client.providerStatus === ProviderStatus.READY);
      expect(await client.getBooleanValue('flag-1', false)).toBe(true);
      expect(told()).toEqual(['ERROR', 'READY']);
    });

    it('has the flags of the local copy, and says that they may be behind', async () => {
      channel.commit(channel.document(1, { defaultVariant: 'on' }));
      const gateway = await serve();
      const first = connect(gateway.url, { dataDir });
      await first.ready(10_000);
      await first.close();
      const client = await open(connect(NOWHERE, { dataDir }, 1), { initTimeoutMs: 20 });
      expect(await client.getBooleanValue('flag-1', false)).toBe(true);
      await until('STALE', () => client.providerStatus === ProviderStatus.STALE);
      expect(told()).toEqual(['READY', 'STALE']);
    });

    it('is given up for options that no gateway could mend', async () => {
      const provider = headgateProvider({
        url: 'ftp://x',
        project: 'p',
        channel: 'c',
        root: 'r',
        instanceId: 'i',
      });
      await expect(OpenFeature.setProviderAndWait('wrong', provider)).rejects.toMatchObject({
        code: 'PROVIDER_FATAL',
        message: 'url must be an http or https address',
      });
      const client = OpenFeature.getClient('wrong');
      expect(client.providerStatus).toBe(ProviderStatus.FATAL);
      expect(await client.getBooleanValue('flag-1', true)).toBe(true);
    });
  });

  it('is STALE while the gateway is gone for longer than the grace, and READY when it is back', async () => {
    channel.commit(channel.document(1));
    let isUp = true;
    const gateway = await serve({
      onStream: (stream) => {
        if (isUp) stream.send('state', channel.state());
        else stream.end();
      },
    });
    const client = await open(connect(gateway.url, {}, 0.001), { staleAfterMs: 30 });
    isUp = false;
    gateway.streams[0]?.end();
    await until('STALE', () => client.providerStatus === ProviderStatus.STALE);
    channel.commit(channel.document(1, { defaultVariant: 'on' }));
    isUp = true;
    await until('READY', () => client.providerStatus === ProviderStatus.READY);
    expect(told()).toEqual(['READY', 'STALE', 'CONFIGURATION_CHANGED', 'READY']);
    expect(await client.getBooleanValue('flag-1', false)).toBe(true);
  });

  it('says nothing of a reconnect within the grace', async () => {
    channel.commit(channel.document(1));
    const gateway = await serve();
    await open(connect(gateway.url), { staleAfterMs: 60_000 });
    gateway.streams[0]?.end();
    await until('a second stream', () => gateway.streams.length === 2);
    gateway.streams[1]?.send('commit', channel.commit(channel.document(1, { defaultVariant: 'on' })));
    await until('the change', () => events.length > 1);
    expect(told()).toEqual(['READY', 'CONFIGURATION_CHANGED']);
  });

  it('is STALE when the beat expires, though nothing happens, and READY with the next one', async () => {
    channel = new SignedChannel({ lifeMs: 300 });
    channel.commit(channel.document(1, { defaultVariant: 'on' }));
    const gateway = await serve();
    const client = await open(connect(gateway.url));
    await until('STALE', () => client.providerStatus === ProviderStatus.STALE);
    expect(await client.getBooleanDetails('flag-1', false)).toMatchObject({ value: true, reason: 'STALE' });
    gateway.streams[0]?.send('beat', channel.beat(Date.now() + 600_000));
    await until('READY', () => client.providerStatus === ProviderStatus.READY);
    expect(await client.getBooleanDetails('flag-1', false)).toMatchObject({ value: true, reason: 'STATIC' });
    expect(told()).toEqual(['READY', 'STALE', 'READY']);
  });

  it('counts what was tracked, under a name that a metric can have, and nothing of whom', async () => {
    const headgate = openTestHeadgate();
    const client = await open(headgate);
    client.track('Checkout Completed', { targetingKey: 'alice' }, { value: 99.5, card: '1234' });
    client.track('Checkout Completed', {}, { value: Number.NaN });
    client.track('7 days');
    client.track('x'.repeat(200), {}, { value: 1 });
    expect(headgate.recorded()).toMatchObject({
      counters: { checkout_completed: 2, e_7_days: 1, ['x'.repeat(94)]: 1 },
      gauges: { 'checkout_completed.value': { sum: 99.5, count: 1 } },
    });
    expect(JSON.stringify(headgate.recorded())).not.toMatch(/alice|1234/);
  });

  it('counts evaluations that failed, by a hook of any provider', async () => {
    const headgate = openTestHeadgate({ flags: { 'flag-1': true } });
    const client = await open(headgate);
    client.addHooks(flagErrorHook(headgate));
    await client.getBooleanValue('flag-1', false);
    await client.getStringValue('flag-1', '');
    await client.getBooleanValue('nobody', false);
    expect(headgate.recorded().counters).toEqual({ flag_errors: 2 });
  });

  it('says nothing after it was closed, not even what it was about to', async () => {
    channel = new SignedChannel({ lifeMs: 1 });
    const gateway = await serve();
    const headgate = connect(gateway.url);
    const provider = new HeadgateProvider(headgate, { staleAfterMs: 0 });
    let emitted = 0;
    for (const event of Object.values(ProviderEvents)) {
      provider.events.addHandler(event, () => {
        emitted += 1;
      });
    }
    await provider.initialize();
    await provider.onClose();
    gateway.streams[0]?.end();
    await until('a reconnect', () => gateway.streams.length > 1);
    expect(emitted).toBe(0);
  });

  it('closes the Headgate that it opened, and leaves alone one that it was given', async () => {
    const gateway = await serve();
    const given = connect(gateway.url);
    await open(given);
    const own = headgateProvider({
      url: gateway.url,
      project: 'shop',
      channel: 'stable',
      root: channel.pin,
      instanceId: 'host-1',
      siteSalt: 'salt',
      telemetry: false,
    });
    await OpenFeature.setProviderAndWait('own', own);
    await OpenFeature.close();
    expect(own.headgate.status().connection).toBe('off');
    expect(given.status().connection).toBe('connected');
  });
});

const changedKeys = (details: EventDetails | undefined): readonly string[] =>
  (details as EventDetails<ProviderEvents.ConfigurationChanged> | undefined)?.flagsChanged ?? [];
