import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitSubject, STREAMS } from '@headgate/contracts';
import { connectHeadgate, type FlagsChanged, type Headgate, machineEnvironment } from '@headgate/sdk';
import { Log, type RunningService, runService } from '@headgate/service-kit';
import { connectStreams, declareInstallation, openMemoryStreams, type Streams } from '@headgate/streams';
import fc from 'fast-check';
import { fuzzRun } from '../../../test/support/fuzz-run.js';
import { type SpecServer, startSpecServer } from '../../../test/support/nats-server.js';
import { SignedChannel } from '../../../test/support/signed-channel.js';
import { until } from '../../../test/support/until.js';
import { type ChannelSource, GatewayModule, type GatewayOptions } from './index.js';

describe.each(['in memory', 'on nats-server'] as const)('a gateway over streams %s', (where) => {
  let server: SpecServer | null;
  let streams: Streams;
  let channel: SignedChannel;
  let dataDir: string;
  let services: RunningService[];
  let clients: Headgate[];
  let sockets: Socket[];
  let lines: string[];

  beforeEach(async () => {
    server = where === 'in memory' ? null : await startSpecServer();
    streams = server
      ? await connectStreams({ url: server.url, name: 'spec' })
      : openMemoryStreams({ now: Date.now });
    await declareInstallation(streams, { now: Date.now() });
    channel = new SignedChannel();
    channel.commit(channel.document(1));
    dataDir = mkdtempSync(join(tmpdir(), 'hg-gateway-'));
    [services, clients, sockets, lines] = [[], [], [], []];
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(services.map((service) => service.close()));
    await streams.close();
    await server?.remove();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const own = (): ChannelSource => ({ root: 'own', stream: STREAMS.flags, pin: channel.pin });
  const start = async (options: Partial<GatewayOptions> = {}, port = 0): Promise<RunningService> => {
    const log = new Log({
      service: 'gateway',
      level: 'warn',
      now: Date.now,
      write: (line) => lines.push(line),
    });
    const module = GatewayModule.register({
      streams,
      sources: [own()],
      dataDir,
      now: Date.now,
      random: () => 0,
      newId: machineEnvironment.newId,
      ...options,
    });
    const service = await runService({ name: 'gateway', log, port, modules: [module] });
    services.push(service);
    return service;
  };
  const stop = async (service: RunningService): Promise<void> => {
    services = services.filter((other) => other !== service);
    await service.close();
  };
  const follow = (url: string, sdkDir?: string): { client: Headgate; changes: FlagsChanged[] } => {
    const client = connectHeadgate(
      {
        url,
        project: 'shop',
        channel: 'stable',
        root: channel.pin,
        instanceId: `host-${clients.length}`,
        siteSalt: 'salt',
        telemetry: false,
        ...(sdkDir ? { dataDir: sdkDir } : {}),
      },
      { ...machineEnvironment, random: () => 0.01, variables: {} },
    );
    clients.push(client);
    const changes: FlagsChanged[] = [];
    client.on('change', (change) => changes.push(change));
    return { client, changes };
  };
  const get = (service: RunningService, path: string, headers: Record<string, string> = {}) =>
    fetch(`${service.url}${path}`, { headers });
  const served = (service: RunningService) =>
    until('the channel', async () => ((await get(service, '/flags/shop/stable/')).ok ? true : null));
  const change = (index = 1, changes = {}) =>
    channel.publishCommit(
      streams,
      channel.commit(channel.document(index, { why: `n ${channel.head.h.n}`, ...changes })),
    );

  it('takes a change and a kill to the callbacks of every SDK', async () => {
    await channel.publishAll(streams);
    const service = await start();
    await served(service);
    const followers = Array.from({ length: 5 }, () => follow(service.url));
    expect(await Promise.all(followers.map(({ client }) => client.ready(10_000)))).toEqual(
      Array(5).fill(true),
    );
    await change(1, { defaultVariant: 'on' });
    await until('the change', () => followers.every(({ client }) => client.boolean('flag-1', false)));
    await change(1, { state: 'DISABLED', killed: { at: 1, why: 'broken' } });
    await until('the kill', () => followers.every(({ client }) => !client.boolean('flag-1', false)));
    for (const { changes } of followers) expect(changes.map(({ n }) => n)).toEqual([2, 3, 4]);
  });

  it('finds a channel that is created while it runs', async () => {
    const service = await start();
    expect(
      (
        await until('an answer', async () => {
          const answer = await get(service, '/flags/shop/stable/');
          return answer.status === 503 ? null : answer;
        })
      ).status,
    ).toBe(404);
    await channel.publishAll(streams);
    await served(service);
  });

  it('goes on after a restart, SDKs without a gap and without a step back', async () => {
    await channel.publishAll(streams);
    const first = await start();
    await served(first);
    const { client, changes } = follow(first.url);
    await client.ready(10_000);
    await change();
    await until('the change', () => changes.length === 2);
    await stop(first);
    await change();
    await change(2);
    await start({}, first.port);
    await until('what was missed', () => changes.at(-1)?.n === 5);
    const order = changes.map(({ n }) => n);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(client.status().problems.map(({ code }) => code)).not.toContain('refused-rolled-back');
  });

  it('serves its last good state at once when nats-server is away, and the news when it is back', async () => {
    await channel.publishAll(streams);
    const first = await start();
    await served(first);
    await until('the copy', () => existsSync(join(dataDir, 'own', 'shop.stable.seen.json')));
    await stop(first);
    let comeBack: (back: Streams) => void = () => {};
    const away = new Promise<Streams>((resolve) => {
      comeBack = resolve;
    });
    const second = await start({ streams: away });
    expect((await get(second, '/flags/shop/stable/')).status).toBe(200);
    expect((await get(second, '/flags/shop/other/')).status).toBe(503);
    expect((await get(second, '/readyz')).status).toBe(200);
    const { client, changes } = follow(second.url);
    expect(await client.ready(10_000)).toBe(true);
    expect(client.details('flag-1', true)).toMatchObject({ value: false, reason: 'STATIC' });
    await change(1, { defaultVariant: 'on' });
    comeBack(streams);
    await until('the news', () => client.boolean('flag-1', false));
    expect(changes.map(({ n }) => n)).toEqual([2, 3]);
    await until('a whole look', async () => (await get(second, '/flags/shop/other/')).status === 404);
  });

  it('refuses a commit that is not what was signed, says so, and keeps what is good', async () => {
    await channel.publishAll(streams);
    const service = await start();
    await served(service);
    const { client, changes } = follow(service.url);
    await client.ready(10_000);
    const commit = channel.commit(channel.document(1, { why: 'good' }));
    const forged = structuredClone(commit);
    Object.assign(forged.changes[0]?.doc ?? {}, { defaultVariant: 'on' });
    await channel.publishCommit(streams, forged);
    await until('the refusal', () => lines.some((line) => line.includes('digest-mismatch')));
    const metrics = await (await get(service, '/metrics')).text();
    expect(metrics).toMatch(/headgate_gateway_refused_total\{root="own",code="digest-mismatch"\} [1-9]/);
    expect(client.boolean('flag-1', true)).toBe(false);
    await channel.publishCommit(streams, commit);
    await until('the good one', () => changes.at(-1)?.n === 3);
    expect(client.boolean('flag-1', true)).toBe(false);
  });

  it('is not ready while its own source says what it must not take, and is again when that is over', async () => {
    await channel.publishAll(streams);
    const service = await start();
    await served(service);
    const ready = async () => {
      const answer = await get(service, '/readyz');
      const { checks } = (await answer.json()) as { checks: { gateway: { detail?: string } } };
      return { status: answer.status, detail: checks.gateway.detail };
    };
    expect(await ready()).toEqual({ status: 200, detail: undefined });
    const old = channel.commit(channel.document(1, { why: 'old' }));
    await channel.publishCommit(streams, old);
    await change();
    await change();
    const etag = () => get(service, '/flags/shop/stable/').then(({ headers }) => headers.get('etag'));
    await until('the newest', async () => (await etag())?.startsWith(`"1.${channel.head.h.n}.`));
    // What a publisher does that began again: a commit of a number that was used, under a valid signature.
    await channel.publishCommit(streams, old);
    const refused = await until('the refusal', async () => {
      const answer = await ready();
      return answer.status === 503 ? answer : null;
    });
    expect(refused.detail).toMatch(/^own shop\/stable: rolled-back: head 1\.3 is older than 1\.5$/);
    await change();
    await until('readiness', async () => (await ready()).status === 200);
    expect((await ready()).detail).toBeUndefined();
  });

  it('names an upstream that says what it must not take, and stays ready for its own channels', async () => {
    await channel.publishAll(streams);
    const service = await start({
      sources: [{ root: 'debian', stream: STREAMS.flags, pin: channel.pin }],
    });
    await served(service);
    const forged = channel.commit(channel.document(1, { why: 'good' }));
    Object.assign(forged.changes[0]?.doc ?? {}, { defaultVariant: 'on' });
    await channel.publishCommit(streams, forged);
    const body = await until('the refusal', async () => {
      const text = await (await get(service, '/readyz')).text();
      return text.includes('digest-mismatch') ? text : null;
    });
    expect(JSON.parse(body)).toMatchObject({
      ok: true,
      checks: {
        gateway: { ok: true, detail: expect.stringMatching(/^debian shop\/stable: digest-mismatch/) },
      },
    });
  });

  it('lets nobody wait for a client that does not read, and holds little for it', async () => {
    await channel.publishAll(streams);
    const service = await start();
    await served(service);
    const held: Socket[] = [];
    service.fastify.server.on('connection', (socket: Socket) => held.push(socket));
    const stalled = connectSocket(service.port, '127.0.0.1');
    sockets.push(stalled);
    stalled.pause();
    stalled.write('GET /flags/shop/stable/ HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n');
    const { client, changes } = follow(service.url);
    await client.ready(10_000);
    const padding = 'x'.repeat(100_000);
    for (let i = 0; i < 200; i += 1) {
      await change(1, { owner: `${padding}${i}` });
      if (i % 4 === 3) await until('the commit', () => changes.at(-1)?.n === channel.head.h.n);
    }
    const last = channel.head.h.n;
    // What the kernel takes of 20 MB does not count: what the process holds does.
    expect(Math.max(...held.map((socket) => socket.writableLength))).toBeLessThan(1_500_000);
    expect(changes.map(({ n }) => n)).toEqual(Array.from({ length: last - 1 }, (_, i) => i + 2));
    let received = '';
    stalled.on('data', (bytes) => {
      received += bytes.toString();
    });
    stalled.resume();
    await until('the state in place of what it missed', () =>
      received.includes(`id: 1.${last}\nevent: state`),
    );
  }, 60_000);

  it('answers pollers with an ETag, and 304 while nothing changed', async () => {
    await channel.publishAll(streams);
    const service = await start();
    await served(service);
    const first = await get(service, '/flags/shop/stable/');
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"1\.2\.\d+"$/);
    expect(await first.json()).toMatchObject({ schema: 'headgate.state.v1', head: { h: { n: 2 } } });
    const second = await get(service, '/flags/shop/stable/', { 'if-none-match': etag });
    expect([second.status, await second.text()]).toEqual([304, '']);
    expect(await (await get(service, '/flags/shop/stable/trust')).json()).toEqual(
      JSON.parse(JSON.stringify(channel.trust)),
    );
    await change();
    await until(
      'the new state',
      async () => (await get(service, '/flags/shop/stable', { 'if-none-match': etag })).status === 200,
    );
  });

  it('turns away clients over its limit, and tells them when to come back', async () => {
    await channel.publishAll(streams);
    const service = await start({ maxClients: 1 });
    await served(service);
    await follow(service.url).client.ready(10_000);
    const answer = await get(service, '/flags/shop/stable/', { accept: 'text/event-stream' });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await answer.json()).toMatchObject({ error: { code: 'too-many-requests' } });
  });

  it('prefers its own channel to an upstream’s of the same name, and serves each from its own pin', async () => {
    const upstream = new SignedChannel({ channel: 'candidate' });
    upstream.commit(upstream.document(9));
    const shadow = new SignedChannel();
    await streams.declare({
      name: 'UP_debian',
      subjects: ['up.>'],
      whenFull: 'drop-oldest',
      duplicateWindowMs: 1_000,
      denyDelete: false,
      denyPurge: false,
    });
    await channel.publishAll(streams);
    await upstream.publishAll(streams);
    // Both channels lie in FLAGS here; what tells the sources apart is their pin.
    const service = await start({
      sources: [
        own(),
        { root: 'debian', stream: STREAMS.flags, pin: upstream.pin },
        { root: 'x', stream: 'UP_debian', pin: shadow.pin },
      ],
    });
    await served(service);
    await until('the upstream', async () => (await get(service, '/flags/shop/candidate/')).ok);
    const body = await (await get(service, '/flags/shop/stable/')).json();
    expect(body).toMatchObject({ trust: JSON.parse(JSON.stringify(channel.trust)) });
  });

  describe('takes any request without harm', () => {
    it('in its path and headers', async () => {
      await channel.publishAll(streams);
      const service = await start();
      await served(service);
      const segment = fc.oneof(
        fc.string(),
        fc.constantFrom('shop', 'stable', '..', '%00', '%ff', 'a.b', '__proto__'),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(segment, { maxLength: 4 }),
          fc.string({ unit: 'grapheme-ascii' }),
          async (path, value) => {
            const url = `/flags/${path.map((part) => encodeURIComponent(part)).join('/')}`;
            const headers = { 'if-none-match': value, 'x-any': value };
            const answer = await get(service, url, headers);
            await answer.arrayBuffer();
            expect(answer.status).toBeLessThan(500);
          },
        ),
        fuzzRun('the gateway', 200),
      );
      expect((await get(service, '/flags/shop/stable/')).status).toBe(200);
    });

    it('in Last-Event-ID, and on a connection that says more than it should', async () => {
      await channel.publishAll(streams);
      const service = await start();
      await served(service);
      const request = (id: string) =>
        `GET /flags/shop/stable/ HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\nlast-event-id: ${id}\r\n\r\n`;
      for (const id of ['', '1.', '1.2.3', '-1.2', '9'.repeat(40), '1.99999999999999999999', 'NaN.NaN']) {
        const socket = connectSocket(service.port, '127.0.0.1');
        sockets.push(socket);
        let received = '';
        socket.on('data', (bytes) => {
          received += bytes.toString();
        });
        socket.write(request(id));
        await until(`a state for ${id}`, () => received.includes('event: state'));
        const ended = new Promise((resolve) => socket.once('close', resolve));
        socket.on('error', () => {});
        socket.write(request('1.2'));
        await ended;
        expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1);
      }
      expect((await get(service, '/healthz')).status).toBe(200);
    });
  });

  it('refuses a commit that a mirror put in another’s place', async () => {
    await channel.publishAll(streams);
    const service = await start();
    await served(service);
    const stranger = new SignedChannel();
    const commit = stranger.commit(stranger.document(1, { defaultVariant: 'on' }));
    await streams.publish(commitSubject('shop', 'stable', 3), Buffer.from(JSON.stringify(commit)), {
      expectStream: STREAMS.flags,
    });
    await until('the refusal', () =>
      lines.some((line) => line.includes('bad-signature') || line.includes('rolled-back')),
    );
    const body = (await (await get(service, '/flags/shop/stable/')).json()) as {
      documents: { defaultVariant: string }[];
    };
    expect(body.documents.map(({ defaultVariant }) => defaultVariant)).toEqual(['off']);
  });
});
