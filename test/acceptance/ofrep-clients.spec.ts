import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature as ServerOpenFeature } from '@openfeature/server-sdk';
import { ClientProviderEvents, OpenFeature as WebOpenFeature } from '@openfeature/web-sdk';
import { EventSource } from 'eventsource';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.js';
import { type SpecServer, startSpecServer } from '../support/nats-server.js';
import { SignedChannel } from '../support/signed-channel.js';
import { until } from '../support/until.js';

const STORY_MS = 120_000;

/** The two sides ask alike: a value, or the code's own and why. */
interface AskedClient {
  /** With `false` as the code's own value. */
  flag(
    key: string,
  ): Promise<{ readonly value: boolean; readonly reason?: string; readonly errorCode?: string }>;
}

let server: SpecServer;
let streams: Streams;
let channel: SignedChannel;
let dataDir: string;
let gateway: GatewayProcess;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'hg-ofrep-'));
  server = await startSpecServer();
  streams = await connectStreams({ url: server.url, name: 'spec' });
  await declareInstallation(streams, { now: Date.now() });
  channel = new SignedChannel();
  channel.commit(channel.document(1), channel.document(2, { defaultVariant: 'on' }));
  await channel.publishAll(streams);
  gateway = await start();
  // what a page gets from its browser
  (globalThis as { EventSource?: unknown }).EventSource = EventSource;
}, STORY_MS);
afterEach(async () => {
  await ServerOpenFeature.close();
  await WebOpenFeature.close();
  await gateway?.kill();
  await streams?.close();
  await server?.remove();
  rmSync(dataDir, { recursive: true, force: true });
}, STORY_MS);

const start = async (port = 0): Promise<GatewayProcess> => {
  const started = await startGatewayProcess({ natsUrl: server.url, pin: channel.pin, dataDir, port });
  await until('the channel', async () => (await fetch(`${started.url}/flags/shop/stable/`)).ok);
  return started;
};
const baseUrl = (): string => `${gateway.url}/flags/shop/stable`;
const publish = (...documents: Parameters<SignedChannel['commit']>) =>
  channel.publishCommit(streams, channel.commit(...documents));

const openServerClient = async (): Promise<AskedClient> => {
  await ServerOpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: baseUrl() }));
  const client = ServerOpenFeature.getClient();
  return { flag: (key) => client.getBooleanDetails(key, false, { targetingKey: 'host-1' }) };
};

const openWebClient = async (): Promise<AskedClient & { readonly changes: (readonly string[])[] }> => {
  await WebOpenFeature.setContext({ targetingKey: 'person-1' });
  const provider = new OFREPWebProvider({ baseUrl: baseUrl(), cacheMode: 'disabled' });
  await WebOpenFeature.setProviderAndWait(provider);
  const client = WebOpenFeature.getClient();
  const changes: (readonly string[])[] = [];
  client.addHandler(ClientProviderEvents.ConfigurationChanged, (details) => {
    changes.push(details?.flagsChanged ?? []);
  });
  return { changes, flag: async (key) => client.getBooleanDetails(key, false) };
};

describe.each([
  ['@openfeature/ofrep-provider', openServerClient],
  ['@openfeature/ofrep-web-provider', openWebClient],
])('%s, unmodified', (_, open: () => Promise<AskedClient>) => {
  it(
    'sees a change, a kill, what happened while the gateway was dead, and a deleted flag',
    async () => {
      const client = await open();
      expect(await client.flag('flag-1')).toMatchObject({ value: false, reason: 'STATIC' });
      expect(await client.flag('flag-2')).toMatchObject({ value: true, reason: 'STATIC' });

      await publish(channel.document(1, { defaultVariant: 'on' }));
      await until('the change', async () => (await client.flag('flag-1')).value);

      const killed = { at: Date.now(), why: 'broken' };
      await publish(channel.document(2, { defaultVariant: 'on', state: 'DISABLED', killed }));
      await until('the kill', async () => !(await client.flag('flag-2')).value);
      expect((await client.flag('flag-1')).value).toBe(true);

      const { port } = gateway;
      await gateway.kill();
      await publish(
        channel.document(1, { defaultVariant: 'off' }),
        channel.document(3, { defaultVariant: 'on' }),
      );
      gateway = await start(port);
      await until('the flag that came meanwhile', async () => (await client.flag('flag-3')).value);
      expect(await client.flag('flag-1')).toMatchObject({ value: false, reason: 'STATIC' });

      await publish({ flagId: channel.document(3).flagId, ended: true });
      await until('the end', async () => (await client.flag('flag-3')).errorCode === 'FLAG_NOT_FOUND');
      expect((await client.flag('flag-3')).value).toBe(false);
    },
    STORY_MS,
  );
});

describe('@openfeature/ofrep-web-provider, unmodified', () => {
  it(
    'is told which flags changed, and nothing when it comes back and nothing did',
    async () => {
      const client = await openWebClient();
      await publish(channel.document(1, { defaultVariant: 'on' }));
      await until('the change', () => client.changes.length === 1);
      expect(client.changes).toEqual([['flag-1']]);
      const { port } = gateway;
      await gateway.kill();
      gateway = await start(port);
      await until('the stream is back', async () => {
        const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
        return metrics.includes('headgate_gateway_clients 1');
      });
      await publish(channel.document(2, { defaultVariant: 'off' }));
      await until('the next change', () => client.changes.length === 2);
      expect(client.changes[1]).toEqual(['flag-2']);
    },
    STORY_MS,
  );

  it(
    'switches at the moment that a rule names, with nothing published',
    async () => {
      const client = await openWebClient();
      const at = Math.floor(Date.now() / 1_000) + 3;
      const targeting = { if: [{ '>=': [{ var: '$flagd.timestamp' }, at] }, 'on', null] };
      await publish(channel.document(1, { targeting }));
      await until('the moment', async () => (await client.flag('flag-1')).value);
      expect(Date.now() / 1_000).toBeGreaterThanOrEqual(at);
    },
    STORY_MS,
  );
});
