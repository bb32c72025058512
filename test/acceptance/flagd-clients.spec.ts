import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';
import { FlagdProvider } from '@openfeature/flagd-provider';
import { FlagdWebProvider } from '@openfeature/flagd-web-provider';
import {
  type JsonValue,
  ProviderEvents,
  type ResolutionDetails,
  OpenFeature as ServerOpenFeature,
} from '@openfeature/server-sdk';
import { ClientProviderEvents, OpenFeature as WebOpenFeature } from '@openfeature/web-sdk';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.js';
import { type SpecServer, startSpecServer } from '../support/nats-server.js';
import { SignedChannel } from '../support/signed-channel.js';
import { until } from '../support/until.js';

const STORY_MS = 120_000;

type Answer<T> = Pick<ResolutionDetails<T>, 'value' | 'reason' | 'variant' | 'errorCode'>;

interface AskedClient {
  /** With `false` as the code's own value. */
  flag(key: string): Promise<Answer<boolean>>;
  object(key: string): Promise<Answer<JsonValue>>;
  /** Keys of each change it was told of. */
  readonly changes: (readonly string[])[];
}

let server: SpecServer;
let streams: Streams;
let channel: SignedChannel;
let dataDir: string;
let gateway: GatewayProcess;
let isOver: boolean;

beforeEach(async () => {
  isOver = false;
  dataDir = mkdtempSync(join(tmpdir(), 'hg-flagd-'));
  server = await startSpecServer();
  streams = await connectStreams({ url: server.url, name: 'spec' });
  await declareInstallation(streams, { now: Date.now() });
  channel = new SignedChannel();
  channel.commit(channel.document(1), channel.document(2, { defaultVariant: 'on' }));
  await channel.publishAll(streams);
  gateway = await start();
}, STORY_MS);
afterEach(async () => {
  isOver = true;
  await ServerOpenFeature.close();
  await WebOpenFeature.close();
  await gateway?.kill();
  await streams?.close();
  await server?.remove();
  rmSync(dataDir, { recursive: true, force: true });
}, STORY_MS);

const start = async (port = 0, grpcPort = 0): Promise<GatewayProcess> => {
  const env = { HEADGATE_GRPC_PORT: String(grpcPort), HEADGATE_GRPC_SYNC_CONTEXT: '{"region": "north"}' };
  const started = await startGatewayProcess({ natsUrl: server.url, pin: channel.pin, dataDir, port, env });
  await until('the channel', async () => (await fetch(`${started.url}/flags/shop/stable/`)).ok);
  return started;
};
const restart = async (): Promise<void> => {
  gateway = await start(gateway.port, gateway.grpcPort ?? 0);
};
const publish = (...documents: Parameters<SignedChannel['commit']>) =>
  channel.publishCommit(streams, channel.commit(...documents));

const openServerClient = async (resolverType: 'in-process' | 'rpc'): Promise<AskedClient> => {
  const provider = new FlagdProvider({
    host: '127.0.0.1',
    port: gateway.grpcPort ?? 0,
    tls: false,
    resolverType,
    selector: 'flagSetId=shop/stable',
    deadlineMs: 10_000,
    retryBackoffMs: 100,
    retryBackoffMaxMs: 500,
  });
  await ServerOpenFeature.setProviderAndWait(provider);
  const client = ServerOpenFeature.getClient();
  const changes: (readonly string[])[] = [];
  client.addHandler(ProviderEvents.ConfigurationChanged, (details) => {
    changes.push(details?.flagsChanged ?? []);
  });
  const context = { targetingKey: 'host-1' };
  return {
    changes,
    flag: (key) => client.getBooleanDetails(key, false, context),
    object: (key) => client.getObjectDetails(key, {}, context),
  };
};

const openWebClient = async (): Promise<AskedClient> => {
  await WebOpenFeature.setContext({ targetingKey: 'person-1' });
  const { hostname, port } = new URL(gateway.url);
  const provider = new FlagdWebProvider({
    host: hostname,
    port: Number(port),
    tls: false,
    pathPrefix: 'flags/shop/stable',
    maxDelay: 500,
    // It has no end of its own: as a page that was left, it must not call any more.
    interceptors: [(next) => (request) => (isOver ? new Promise(() => {}) : next(request))],
  });
  await WebOpenFeature.setProviderAndWait(provider);
  const client = WebOpenFeature.getClient();
  const changes: (readonly string[])[] = [];
  client.addHandler(ClientProviderEvents.ConfigurationChanged, (details) => {
    changes.push(details?.flagsChanged ?? []);
  });
  return {
    changes,
    flag: async (key) => client.getBooleanDetails(key, false),
    object: async (key) => client.getObjectDetails(key, {}),
  };
};

describe.each([
  ['@openfeature/flagd-provider in-process', () => openServerClient('in-process')],
  ['@openfeature/flagd-provider over rpc', () => openServerClient('rpc')],
  ['@openfeature/flagd-web-provider', openWebClient],
])('%s, unmodified', (_, open: () => Promise<AskedClient>) => {
  it(
    'sees a change, a kill, what happened while the gateway was dead, and a deleted flag',
    async () => {
      const client = await open();
      expect(await client.flag('flag-1')).toMatchObject({ value: false, reason: 'STATIC', variant: 'off' });
      expect(await client.flag('flag-2')).toMatchObject({ value: true, reason: 'STATIC', variant: 'on' });

      await publish(channel.document(1, { defaultVariant: 'on' }));
      await until('the change', async () => (await client.flag('flag-1')).value);

      const killed = { at: Date.now(), why: 'broken' };
      await publish(channel.document(2, { defaultVariant: 'on', state: 'DISABLED', killed }));
      await until('the kill', async () => !(await client.flag('flag-2')).value);
      expect((await client.flag('flag-1')).value).toBe(true);

      await gateway.kill();
      await publish(
        channel.document(1, { defaultVariant: 'off' }),
        channel.document(3, { defaultVariant: 'on' }),
      );
      await restart();
      await until('the flag that came meanwhile', async () => (await client.flag('flag-3')).value);
      expect(await client.flag('flag-1')).toMatchObject({ value: false, reason: 'STATIC' });

      await publish({ flagId: channel.document(3).flagId, ended: true });
      await until('the end', async () => (await client.flag('flag-3')).errorCode === 'FLAG_NOT_FOUND');
      expect((await client.flag('flag-3')).value).toBe(false);
    },
    STORY_MS,
  );

  it(
    'gets objects whole, and a type mismatch for a flag of another type',
    async () => {
      await publish(channel.document(6, { variants: { text: 'on' }, defaultVariant: 'text' }));
      const value = { limit: 2.5, names: ['a', 'ä'], deep: { on: true, none: null } };
      await publish(channel.document(4, { variants: { big: value }, defaultVariant: 'big' }));
      const client = await open();
      await until('the object', async () => (await client.object('flag-4')).variant === 'big');
      expect((await client.object('flag-4')).value).toEqual(value);
      // Another flag: the provider over rpc remembers a value by its key alone, and gives it as whatever is asked for.
      expect(await client.flag('flag-6')).toMatchObject({ value: false, errorCode: 'TYPE_MISMATCH' });
    },
    STORY_MS,
  );
});

describe.each(['in-process', 'rpc'] as const)(
  '@openfeature/flagd-provider %s, unmodified',
  (resolverType) => {
    it(
      'is told which flags changed, and of no others',
      async () => {
        const client = await openServerClient(resolverType);
        await publish(channel.document(1, { defaultVariant: 'on' }));
        await until('the change', async () => (await client.flag('flag-1')).value);
        await publish({ flagId: channel.document(2).flagId, ended: true });
        await until('the end', async () => (await client.flag('flag-2')).errorCode === 'FLAG_NOT_FOUND');
        await until('both to be told', () => client.changes.some(([key]) => key === 'flag-2'));
        // Over rpc more than once: an answer that was on its way would be kept otherwise.
        const told = client.changes.map((keys) => keys.join());
        expect([...new Set(told)]).toEqual(['flag-1', 'flag-2']);
      },
      STORY_MS,
    );
  },
);

describe('@openfeature/flagd-provider in-process, unmodified', () => {
  it(
    'evaluates with what the gateway says of its place',
    async () => {
      const targeting = { if: [{ '==': [{ var: 'region' }, 'north'] }, 'on', 'off'] };
      await publish(channel.document(5, { targeting }));
      const client = await openServerClient('in-process');
      await until('the flag', async () => (await client.flag('flag-5')).value);
      expect(await client.flag('flag-5')).toMatchObject({ variant: 'on', reason: 'TARGETING_MATCH' });
    },
    STORY_MS,
  );
});
