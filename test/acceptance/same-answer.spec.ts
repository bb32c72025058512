import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlagDocument, JsonValue } from '@headgate/contracts';
import { connectHeadgate, type Headgate } from '@headgate/sdk';
import { HeadgateProvider } from '@headgate/sdk/openfeature';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';
import { FlagdProvider } from '@openfeature/flagd-provider';
import { type Client, type EvaluationContext, OpenFeature } from '@openfeature/server-sdk';
import fc from 'fast-check';
import { fuzzRun } from '../support/fuzz-run.js';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.js';
import { type SpecServer, startSpecServer } from '../support/nats-server.js';
import { type RandomContext, randomContext, randomFlag } from '../support/random-flags.js';
import { SignedChannel } from '../support/signed-channel.js';
import { until } from '../support/until.js';

const FLAGS = 120;
const CONTEXTS = 12;
const PATIENCE_MS = 120_000;

/** What a client was served: a variant and its value, or the default in its code, for whatever reason. */
type Answer = { readonly variant: string; readonly value: unknown } | 'code default';
type Door = (document: FlagDocument, context: RandomContext) => Promise<Answer>;

let server: SpecServer;
let streams: Streams;
let gateway: GatewayProcess;
let headgate: Headgate;
let dataDir: string;
let documents: readonly FlagDocument[];
let contexts: readonly RandomContext[];
const doors = new Map<string, Door>();

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'hg-doors-'));
  server = await startSpecServer();
  streams = await connectStreams({ url: server.url, name: 'spec' });
  await declareInstallation(streams, { now: Date.now() });
  const { seed } = fuzzRun('every door with the same flags', FLAGS);
  const channel = new SignedChannel();
  documents = fc
    .sample(randomFlag, { seed, numRuns: FLAGS })
    .map((flag, i) => channel.document(i + 1, flag as Partial<FlagDocument>));
  contexts = fc.sample(randomContext, { seed, numRuns: CONTEXTS });
  for (let i = 0; i < documents.length; i += 40) channel.commit(...documents.slice(i, i + 40));
  await channel.publishAll(streams);
  gateway = await startGatewayProcess({
    natsUrl: server.url,
    pin: channel.pin,
    dataDir,
    env: { HEADGATE_GRPC_PORT: '0', HEADGATE_GATEWAY_REQUESTS_PER_SECOND: '0' },
  });
  await until('the channel', async () => (await fetch(`${gateway.url}/flags/shop/stable/`)).ok);
  headgate = connectHeadgate({
    url: gateway.url,
    project: 'shop',
    channel: 'stable',
    root: channel.pin,
    instanceId: 'spec',
    siteSalt: 'salt',
    telemetry: false,
  });
  expect(await headgate.ready(10_000)).toBe(true);
  const port = gateway.grpcPort ?? 0;
  for (const resolverType of ['in-process', 'rpc'] as const) {
    const provider = new FlagdProvider({
      host: '127.0.0.1',
      port,
      resolverType,
      cache: 'disabled',
      selector: 'flagSetId=shop/stable',
    });
    await OpenFeature.setProviderAndWait(resolverType, provider);
    doors.set(`flagd ${resolverType}`, throughOpenFeature(OpenFeature.getClient(resolverType)));
  }
  await OpenFeature.setProviderAndWait('own', new HeadgateProvider(headgate));
  doors.set('OpenFeature', throughOpenFeature(OpenFeature.getClient('own')));
  doors.set('OFREP single', throughOfrep);
  doors.set('OFREP bulk', throughOfrepBulk());
  doors.set('flagd over Connect', throughConnect());
}, PATIENCE_MS);

afterAll(async () => {
  await OpenFeature.close();
  await headgate?.close();
  await gateway?.kill();
  await streams?.close();
  await server?.remove();
  rmSync(dataDir, { recursive: true, force: true });
}, PATIENCE_MS);

/** A default of the flag's kind that no variant of it has. */
const fallbackOf = ({ variants }: FlagDocument): boolean | string | number | object => {
  const [value] = Object.values(variants);
  if (typeof value === 'object' && value !== null) return { fallback: true };
  if (typeof value === 'boolean') return false;
  return typeof value === 'string' ? 'fallback' : 99;
};

const answer = (variant: string | undefined | null, value: unknown): Answer =>
  variant === undefined || variant === null || variant === '' ? 'code default' : { variant, value };

const throughSdk: Door = async (document, context) => {
  const details = headgate.details(document.key, fallbackOf(document), context);
  return answer(details.variant, details.value);
};

const throughOpenFeature =
  (client: Client): Door =>
  async (document, context) => {
    const fallback = fallbackOf(document);
    const asked = context as unknown as EvaluationContext;
    const { key } = document;
    const details =
      typeof fallback === 'boolean'
        ? await client.getBooleanDetails(key, fallback, asked)
        : typeof fallback === 'string'
          ? await client.getStringDetails(key, fallback, asked)
          : typeof fallback === 'number'
            ? await client.getNumberDetails(key, fallback, asked)
            : await client.getObjectDetails(key, fallback as never, asked);
    return answer(details.variant, details.value);
  };

const post = async (
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<JsonObject> => {
  const response = await fetch(`${gateway.url}/flags/shop/stable/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return (await response.json()) as JsonObject;
};
type JsonObject = Record<string, JsonValue>;

const throughOfrep: Door = async ({ key }, context) => {
  const { variant, value } = await post(`ofrep/v1/evaluate/flags/${key}`, { context });
  return answer(variant as string, value);
};

const throughOfrepBulk = (): Door => {
  const asked = new Map<RandomContext, Promise<JsonObject>>();
  return async ({ key }, context) => {
    const whole = asked.get(context) ?? post('ofrep/v1/evaluate/flags', { context });
    asked.set(context, whole);
    const { flags } = (await whole) as unknown as { flags: readonly JsonObject[] };
    const { variant, value } = flags.find((flag) => flag.key === key) ?? {};
    return answer(variant as string, value);
  };
};

/** `ResolveAll` of v1 leaves out what has no value, and what failed. */
const throughConnect = (): Door => {
  const asked = new Map<RandomContext, Promise<JsonObject>>();
  return async ({ key }, context) => {
    const whole =
      asked.get(context) ??
      post('flagd.evaluation.v1.Service/ResolveAll', { context }, { 'connect-protocol-version': '1' });
    asked.set(context, whole);
    const { flags } = (await whole) as unknown as { flags: Record<string, JsonObject> };
    const { variant, ...rest } = flags[key] ?? {};
    const value = rest.boolValue ?? rest.stringValue ?? rest.doubleValue ?? rest.objectValue;
    return answer(variant as string, value ?? defaultOfKind(documents, key));
  };
};

/** proto3 JSON may leave out a value that is its type's zero. */
const defaultOfKind = (all: readonly FlagDocument[], key: string): unknown => {
  const [value] = Object.values(all.find((document) => document.key === key)?.variants ?? {});
  return typeof value === 'boolean' ? false : typeof value === 'string' ? '' : 0;
};

/** flagd-core 4.0.1 hashes UTF-16 units, where flagd's definition, and everybody else's client, hashes UTF-8 bytes. */
const isHashedAlike = ({ targetingKey }: RandomContext): boolean => /^[\x20-\x7e]*$/.test(targetingKey);
const any = (): boolean => true;

const differences = async (
  door: Door,
  from: Door,
  isCompared: (context: RandomContext) => boolean = any,
): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const document of documents)
    for (const context of contexts.filter(isCompared)) {
      const [one, other] = await Promise.all([door(document, context), from(document, context)]);
      if (JSON.stringify(one) === JSON.stringify(other)) continue;
      found.push(
        `${JSON.stringify(one)} in place of ${JSON.stringify(other)} for ${JSON.stringify(document.targeting)} and ${JSON.stringify(context)}`,
      );
    }
  return found;
};

describe('the same flag and context', () => {
  it.each([
    'OpenFeature',
    'OFREP single',
    'OFREP bulk',
    'flagd in-process',
    'flagd rpc',
    'flagd over Connect',
  ])(
    'give through %s what they give in the native SDK',
    async (name) => {
      const door = doors.get(name);
      if (!door) throw new Error(`no door ${name}`);
      const found = await differences(door, throughSdk, name === 'flagd in-process' ? isHashedAlike : any);
      expect(found.slice(0, 3)).toEqual([]);
    },
    PATIENCE_MS,
  );

  it('are many kinds of answers: variants by rule and by bucket, the default variant and the default in the code', async () => {
    const seen = { variant: 0, codeDefault: 0, split: 0 };
    for (const document of documents)
      for (const context of contexts) {
        const { variant, reason } = headgate.details(document.key, fallbackOf(document), context);
        if (variant === undefined) seen.codeDefault += 1;
        else seen.variant += 1;
        if (reason === 'SPLIT') seen.split += 1;
      }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
  });

  it('are told apart from a door that buckets by another seed (control)', async () => {
    const reseeded: Door = async (document, context) =>
      throughSdk(document, { ...context, targetingKey: `${context.targetingKey}x` });
    expect((await differences(reseeded, throughSdk)).length).toBeGreaterThan(0);
  });
});
