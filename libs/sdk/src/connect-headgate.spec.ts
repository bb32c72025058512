import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bucket } from '@headgate/evaluation';
import fc from 'fast-check';
import { fuzzRun } from '../../../test/support/fuzz-run.js';
import {
  type Script,
  type ScriptedGateway,
  startScriptedGateway,
} from '../../../test/support/scripted-gateway.js';
import { SignedChannel } from '../../../test/support/signed-channel.js';
import { until } from '../../../test/support/until.js';
import { connectHeadgate } from './connect-headgate.js';
import { type Environment, machineEnvironment } from './environment.js';
import type { Headgate } from './headgate.js';
import { instanceOf } from './options/identity.js';
import type { HeadgateOptions } from './options/options.js';

describe('connectHeadgate', () => {
  let channel: SignedChannel;
  let gateways: ScriptedGateway[];
  let clients: Headgate[];
  let dataDir: string;

  beforeEach(() => {
    channel = new SignedChannel();
    gateways = [];
    clients = [];
    dataDir = mkdtempSync(join(tmpdir(), 'hg-sdk-'));
  });
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
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
  const connect = (
    url: string,
    options: Partial<HeadgateOptions> = {},
    environment: Partial<Environment> = {},
  ): Headgate => {
    const client = connectHeadgate(
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
      // No waiting between attempts: specs wait for what happens, not for time.
      { ...machineEnvironment, random: () => 0, variables: {}, ...environment },
    );
    clients.push(client);
    return client;
  };
  const closed = async (client: Headgate): Promise<void> => {
    await client.close();
  };

  it('serves the defaults in the code until flags are verified, then the flags', async () => {
    channel.commit(channel.document(1, { defaultVariant: 'on' }));
    const gateway = await serve();
    const client = connect(gateway.url);
    expect(client.boolean('flag-1', false)).toBe(false);
    expect(client.details('flag-1', false)).toMatchObject({
      reason: 'ERROR',
      error: { code: 'PROVIDER_NOT_READY' },
    });
    expect(await client.ready(10_000)).toBe(true);
    expect(client.boolean('flag-1', false)).toBe(true);
    expect(client.details('flag-1', false)).toMatchObject({
      value: true,
      variant: 'on',
      reason: 'STATIC',
      stale: false,
      position: 2,
    });
    expect(client.details('flag-1', 'text')).toMatchObject({
      value: 'text',
      error: { code: 'TYPE_MISMATCH' },
    });
    expect(client.details('nobody', true)).toMatchObject({ value: true, error: { code: 'FLAG_NOT_FOUND' } });
    expect(client.status()).toMatchObject({
      connection: 'connected',
      flags: 'live',
      head: { epoch: 1, n: 2 },
    });
  });

  it('tells of a change and of a kill after they are in force', async () => {
    channel.commit(channel.document(1));
    const gateway = await serve();
    const client = connect(gateway.url);
    const seen: [number, string[], boolean][] = [];
    client.on('change', ({ n, flags }) => {
      seen.push([n, flags.map(({ key }) => key), client.boolean('flag-1', true)]);
    });
    client.on('change', () => {
      throw new Error('a listener of the application');
    });
    await client.ready(10_000);
    gateway.streams[0]?.send('commit', channel.commit(channel.document(1, { defaultVariant: 'on' })));
    await until('the change', () => seen.length === 2);
    gateway.streams[0]?.send(
      'commit',
      channel.commit(channel.document(1, { state: 'DISABLED', killed: { at: 1, why: 'broken' } })),
    );
    await until('the kill', () => seen.length === 3);
    gateway.streams[0]?.send('commit', channel.commit({ flagId: channel.document(1).flagId, ended: true }));
    await until('the end', () => seen.length === 4);
    expect(seen).toEqual([
      [2, ['flag-1'], false],
      [3, ['flag-1'], true],
      [4, ['flag-1'], true],
      [5, ['flag-1'], true],
    ]);
    expect(client.boolean('flag-1', false)).toBe(false);
    expect(client.status().problems).toContainEqual(expect.objectContaining({ code: 'listener-threw' }));
  });

  it('assigns by the instance, unless the caller brings a targeting key', async () => {
    const seed = 'seed-1';
    const instance = instanceOf('salt', 'host-1');
    const weightPpm = bucket(seed, instance) + 1;
    channel.commit(
      channel.document(1, {
        targeting: {
          fractional: [
            { cat: [seed, { var: 'targetingKey' }] },
            ['on', weightPpm],
            ['off', 1_000_000 - weightPpm],
          ],
        },
        rollout: { id: channel.document(1).flagId, seed, variant: 'on', weightPpm },
      }),
    );
    const gateway = await serve();
    const client = connect(gateway.url);
    await client.ready(10_000);
    expect(client.details('flag-1', false)).toMatchObject({ variant: 'on', reason: 'SPLIT' });
    expect(client.details('flag-1', false, { targetingKey: undefined }).variant).toBe('on');
    expect(client.status().problemCount).toBe(0);
    const other = Array.from({ length: 10_000 }, (_, i) => `user-${i}`).find(
      (key) => bucket(seed, key) >= weightPpm,
    );
    expect(client.details('flag-1', false, { targetingKey: other ?? '' }).variant).toBe('off');
    client.boolean('flag-1', false, { targetingKey: 'a' });
    expect(client.status().problems.map(({ code }) => code)).toEqual(['rollout-unjudgeable']);
    expect(client.status().telemetry.instance).toBe(instance);
  });

  it('resumes after a cut from what it holds', async () => {
    channel.commit(channel.document(1));
    const gateway = await serve({
      onStream: (stream, _response, nth) => {
        if (nth === 1) stream.send('state', channel.state(), '1.2');
        else stream.send('commit', channel.commit(channel.document(1, { defaultVariant: 'on' })), '1.3');
      },
    });
    const client = connect(gateway.url);
    await client.ready(10_000);
    gateway.streams[0]?.end();
    await until('the change', () => client.boolean('flag-1', false));
    expect(gateway.streams.map(({ lastEventId }) => lastEventId)).toEqual([null, '1.2']);
  });

  it('asks for the whole state after a gap', async () => {
    channel.commit(channel.document(1));
    const gateway = await serve();
    const client = connect(gateway.url);
    await client.ready(10_000);
    channel.commit(channel.document(2));
    gateway.streams[0]?.send('commit', channel.commit(channel.document(1, { defaultVariant: 'on' })));
    await until('the change', () => client.boolean('flag-1', false));
    expect(gateway.streams.at(-1)?.lastEventId).toBeNull();
    expect(client.status().head?.n).toBe(4);
  });

  it('keeps one connection at a time, however often it fails', async () => {
    let open = 0;
    let most = 0;
    const gateway = await serve({
      onStream: (stream, response, nth) => {
        open += 1;
        most = Math.max(most, open);
        response.on('close', () => {
          open -= 1;
        });
        if (nth < 20) response.writeHead(503, { 'retry-after': '0' }).end();
        else stream.send('state', channel.state());
      },
    });
    expect(await connect(gateway.url).ready(10_000)).toBe(true);
    expect(gateway.streams).toHaveLength(20);
    expect(most).toBe(1);
  });

  describe('the local copy', () => {
    const cold = async (): Promise<Headgate> => {
      const client = connect('http://127.0.0.1:9', { dataDir });
      return client;
    };
    const warm = async (): Promise<void> => {
      const gateway = await serve();
      const client = connect(gateway.url, { dataDir });
      expect(await client.ready(10_000)).toBe(true);
      await closed(client);
      await gateway.close();
    };

    it('has flags in force at once after a restart without any gateway', async () => {
      channel.commit(channel.document(1, { defaultVariant: 'on' }));
      await warm();
      const client = await cold();
      expect(client.boolean('flag-1', false)).toBe(true);
      expect(client.status()).toMatchObject({ flags: 'copy', head: { n: 2 } });
    });

    it('never lets an older state in again, even when the copy itself is lost', async () => {
      const old = channel.state();
      channel.commit(channel.document(1, { defaultVariant: 'on' }));
      await warm();
      const [file] = readdirSync(dataDir).filter((name) => name.endsWith('.state.json'));
      writeFileSync(join(dataDir, file ?? ''), '{"schema":');
      const gateway = await serve({ onStream: (stream) => stream.send('state', old) });
      const client = connect(gateway.url, { dataDir });
      await until('a refusal', () =>
        client.status().problems.some(({ code }) => code === 'refused-rolled-back'),
      );
      expect(client.status()).toMatchObject({ flags: 'none', head: null });
      expect(client.status().problems.map(({ code }) => code)).toContain('copy-damaged');
    });

    it('sweeps what a process left that was killed while it wrote, and not what one writes now', async () => {
      const names = ['shop.stable.state.json.old.tmp', 'shop.stable.state.json.new.tmp', 'other.old.tmp'];
      for (const name of names) writeFileSync(join(dataDir, name), 'half');
      for (const name of [names[0]!, names[2]!]) utimesSync(join(dataDir, name), 1_000, 1_000);
      await cold();
      expect(
        readdirSync(dataDir)
          .filter((name) => name.endsWith('.tmp'))
          .sort(),
      ).toEqual([names[2], names[1]].sort());
    });

    it('survives any damage: no crash, and nothing served that was not signed', async () => {
      channel.commit(channel.document(1, { defaultVariant: 'on' }));
      await warm();
      const files = readdirSync(dataDir).filter((name) => name.endsWith('.json'));
      const originals = files.map((name) => [name, readFileSync(join(dataDir, name))] as const);
      const damage = fc.oneof(
        fc.record({
          at: fc.double({ min: 0, max: 1, noNaN: true }),
          bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
        }),
        fc.record({ whole: fc.oneof(fc.json(), fc.string(), fc.constant('{}'), fc.constant('null')) }),
        fc.record({ cutAt: fc.double({ min: 0, max: 1, noNaN: true }) }),
      );
      await fc.assert(
        fc.asyncProperty(fc.nat(files.length - 1), damage, async (which, hurt) => {
          for (const [name, bytes] of originals) writeFileSync(join(dataDir, name), bytes);
          const [name, bytes] = originals[which]!;
          writeFileSync(join(dataDir, name), damaged(bytes, hurt));
          const client = await cold();
          try {
            expect([null, 2]).toContain(client.status().head?.n ?? null);
            expect(client.details('flag-1', false).error?.code ?? 'none').toMatch(/none|PROVIDER_NOT_READY/);
          } finally {
            await client.close();
          }
        }),
        fuzzRun('a damaged SDK copy', 150),
      );
    });
  });

  describe('never throws at its caller', () => {
    const trap = new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap');
        },
        ownKeys: () => {
          throw new Error('trap');
        },
      },
    );

    it('whatever the options are', async () => {
      const values = fc.oneof(
        fc.anything(),
        fc.constant(trap),
        fc.constant('shop'),
        fc.constant('http://127.0.0.1:9'),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            values,
            fc.record(
              {
                url: values,
                project: fc.oneof(values, fc.constant('shop')),
                channel: fc.oneof(values, fc.constant('stable')),
                root: fc.oneof(values, fc.constant(`sha256:${'0'.repeat(64)}`)),
                instanceId: values,
                siteSalt: values,
                version: values,
                token: values,
                telemetryUrl: values,
                reportEveryMs: values,
                attributes: values,
              },
              { requiredKeys: [] },
            ),
          ),
          async (options) => {
            const client = connectHeadgate(options as HeadgateOptions, {
              ...machineEnvironment,
              variables: {},
            });
            expect(client.boolean('a', true)).toBe(true);
            expect(client.details('a', 7).value).toBe(7);
            client.counter('a').add();
            expect(client.status().flags).toBe('none');
            await client.close();
          },
        ),
        fuzzRun('the options of the SDK', 300),
      );
    });

    it('says which option is wrong', () => {
      const client = connect('ftp://example.org');
      expect(client.status()).toMatchObject({
        connection: 'off',
        problems: [{ code: 'options-wrong', message: 'url must be an http or https address' }],
      });
      expect(client.boolean('flag-1', true)).toBe(true);
    });

    it('whatever it is asked with', async () => {
      channel.commit(channel.document(1, { targeting: { if: [{ var: 'a.b' }, 'on', 'off'] } }));
      const gateway = await serve();
      const client = connect(gateway.url);
      await client.ready(10_000);
      for (const context of [trap, null, 7, 'text', [], { a: trap }, Object.create(null), Symbol.iterator]) {
        expect(client.boolean('flag-1', false, context as never)).toBe(false);
        expect(client.details('flag-1', false, context as never).value).toBe(false);
      }
      expect(client.details('flag-1', false, trap).error?.code).toBe('INVALID_CONTEXT');
      for (const key of [null, undefined, {}, trap, Symbol.iterator, 3]) {
        expect(client.string(key as never, 'x')).toBe('x');
        expect(client.details(key as never, 'x').value).toBe('x');
      }
      expect(client.on('nothing' as never, null as never)()).toBeUndefined();
      client.health('well' as never);
      client.event(trap as never);
      expect(await client.ready(Number.NaN)).toBe(true);
    });

    it('whatever a server answers', async () => {
      const answers: ((
        stream: Parameters<NonNullable<Script['onStream']>>[0],
        response: Parameters<NonNullable<Script['onStream']>>[1],
      ) => void)[] = [
        (_stream, response) => response.destroy(),
        (_stream, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
        (_stream, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
        (_stream, response) => response.writeHead(500).end(),
        (stream) => stream.send('state', '{"schema":1}'),
        (stream) => stream.send('state', 'not json'),
        (stream) => stream.send('commit', '[]'),
        (stream) => stream.send('beat', '0'),
        (stream) => stream.send('trust', '{}'),
        (stream) => stream.send('state', `${'['.repeat(20_000)}`),
        (stream) => stream.raw(Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x0a])),
        (stream) => {
          stream.raw('id: 1.1\nevent: state\ndata: {');
          stream.end();
        },
      ];
      const gateway = await serve({
        onStream: (stream, response, nth) => {
          const answer = answers[nth - 1];
          if (answer === undefined) {
            stream.send('tomorrow', { anything: true });
            stream.send('state', channel.state());
            return;
          }
          answer(stream, response);
          if (!response.destroyed && response.headersSent && !response.writableEnded)
            setImmediate(() => stream.end());
        },
      });
      const client = connect(gateway.url);
      expect(await client.ready(15_000)).toBe(true);
      expect(client.status().problemCount).toBeGreaterThanOrEqual(answers.length);
    });
  });
});

const damaged = (
  bytes: Buffer,
  hurt: { at?: number; bytes?: Uint8Array; whole?: string; cutAt?: number },
): Buffer => {
  if (hurt.whole !== undefined) return Buffer.from(hurt.whole);
  if (hurt.cutAt !== undefined) return bytes.subarray(0, Math.floor(hurt.cutAt * bytes.length));
  const copy = Buffer.from(bytes);
  copy.set(
    (hurt.bytes ?? new Uint8Array()).slice(0, copy.length),
    Math.min(Math.floor((hurt.at ?? 0) * copy.length), Math.max(0, copy.length - 20)),
  );
  return copy;
};
