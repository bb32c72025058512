import { type SpecServer, startSpecServer } from '../../../test/support/nats-server.js';
import { connectStreams } from './connect-streams.js';
import { declareInstallation } from './declare-installation.js';
import { PublishRefused, StreamMismatch, StreamReplaced, Unavailable, WrongLastSequence } from './errors.js';
import { inspectInstallation } from './inspect-installation.js';
import { openMemoryStreams } from './memory-streams.js';
import type { DeliveredMessage, Streams, Subscription } from './streams.js';

const NOW = 1_780_000_000_000;
const bytes = (text: string) => Buffer.from(text);
const text = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();

describe.each(['in memory', 'on nats-server'])('streams %s', (where) => {
  let server: SpecServer | null = null;
  let streams: Streams;

  beforeEach(async () => {
    if (where === 'in memory') streams = openMemoryStreams({ now: () => NOW });
    else {
      server = await startSpecServer();
      streams = await connectStreams({ url: server.url, name: 'spec' });
    }
    await declareInstallation(streams, { now: NOW });
  });
  afterEach(async () => {
    await streams.close();
    await server?.remove();
  });

  const append = (token: string, expect: number) =>
    streams.publish(`hg.log.${token}`, bytes(token), {
      expectStream: 'LOG',
      expectLastSequence: expect,
      expectFilter: `hg.log.${token.split('.')[0]}.>`,
    });

  it('keeps what was declared, and says so twice', async () => {
    const again = await declareInstallation(streams, { now: NOW + 5 });
    expect(again.map((stream) => stream.name)).toEqual(['LOG', 'FLAGS', 'TELEMETRY', 'DLQ']);
    expect(again[0]?.config).toMatchObject({ denyDelete: true, denyPurge: true, whenFull: 'refuse' });
    expect(await streams.info('NOPE')).toBeNull();
  });

  it('inspects without changing: as declared, not as declared, missing, unknown', async () => {
    const states = async (replicas?: number) =>
      (await inspectInstallation(streams, { now: NOW, ...(replicas === undefined ? {} : { replicas }) })).map(
        (each) => each.state,
      );
    expect(await states()).toEqual(Array(4).fill('as-declared'));
    const [log] = await inspectInstallation(streams, { now: NOW, replicas: 3 });
    expect(log).toMatchObject({ state: 'not-as-declared', differences: ['replicas is 1, wanted 3'] });
    const missing = await inspectInstallation({ info: async () => null }, { now: NOW });
    expect(missing[0]).toEqual({ name: 'LOG', state: 'missing' });
    await streams.close();
    expect(await states()).toEqual(Array(4).fill('unknown'));
  });

  it('takes a message only behind the one expected on the filter', async () => {
    const first = await append('shop.flag.a', 0);
    expect(first).toEqual({ sequence: NOW, duplicate: false });
    await expect(append('shop.flag.b', 0)).rejects.toThrow(WrongLastSequence);
    const other = await append('other.flag.x', 0);
    const second = await append('shop.flag.b', first.sequence);
    expect([other.sequence, second.sequence]).toEqual([NOW + 1, NOW + 2]);
    expect(text((await streams.last('LOG', 'hg.log.shop.>'))?.data)).toBe('shop.flag.b');
    expect(text((await streams.get('LOG', first.sequence))?.data)).toBe('shop.flag.a');
    expect(await streams.last('LOG', 'hg.log.nobody.>')).toBeNull();
    expect(await streams.get('LOG', NOW + 99)).toBeNull();
  });

  it('says duplicate, with the sequence of the first, when an id comes again', async () => {
    const publish = () =>
      streams.publish('hg.telemetry.shop', bytes('r'), { expectStream: 'TELEMETRY', msgId: 'one' });
    expect(await publish()).toEqual({ sequence: 1, duplicate: false });
    expect(await publish()).toEqual({ sequence: 1, duplicate: true });
  });

  it('refuses another stream than meant, too large a message and a subject nobody keeps, each by name', async () => {
    await expect(streams.publish('hg.log.a.b.c', bytes('x'), { expectStream: 'FLAGS' })).rejects.toThrow(
      StreamMismatch,
    );
    await expect(
      streams.publish('hg.log.a.b.c', new Uint8Array(300_000), { expectStream: 'LOG' }),
    ).rejects.toThrow(PublishRefused);
    await expect(streams.publish('nobody.home', bytes('x'), { expectStream: 'LOG' })).rejects.toThrow(
      Unavailable,
    );
  });

  it('reads a range to its tail and ends, also when nothing matches', async () => {
    await append('shop.flag.a', 0);
    await append('other.flag.b', 0);
    await append('shop.flag.c', NOW);
    const read = async (filter: string | undefined, from: number) => {
      const found: string[] = [];
      const range = streams.readRange('LOG', { ...(filter === undefined ? {} : { filter }), from });
      for await (const message of range)
        found.push(`${message.sequence - NOW} ${text(message.data)} ${message.pending}`);
      return found;
    };
    expect(await read(undefined, 0)).toEqual(['0 shop.flag.a 2', '1 other.flag.b 1', '2 shop.flag.c 0']);
    expect(await read('hg.log.shop.>', NOW + 1)).toEqual(['2 shop.flag.c 0']);
    expect(await read('hg.log.nobody.>', 0)).toEqual([]);
    expect(await read(undefined, NOW + 3)).toEqual([]);
  });

  it('follows from a sequence, from now, and from the newest of each subject', async () => {
    const flags = (token: string, body: string) =>
      streams.publish(`hg.flags.${token}`, bytes(body), { expectStream: 'FLAGS' });
    await flags('a', 'a1');
    await flags('b', 'b1');
    await flags('a', 'a2');
    const all = streams.follow('FLAGS', { from: 0 });
    const newest = streams.follow('FLAGS', { from: 'last-per-subject' });
    const later = streams.follow('FLAGS', { from: 'new' });
    const got = [collect(all), collect(newest), collect(later)];
    await Promise.all([all.caughtUp, newest.caughtUp, later.caughtUp]);
    await flags('b', 'b2');
    await until(() =>
      got.every((messages) => messages.at(-1)?.data !== undefined && text(messages.at(-1)?.data) === 'b2'),
    );
    expect(got.map((messages) => messages.map((message) => text(message.data)))).toEqual([
      ['b1', 'a2', 'b2'],
      ['b1', 'a2', 'b2'],
      ['b2'],
    ]);
    await Promise.all([all.close(), newest.close(), later.close()]);
  });

  it('passes on what is not stored', async () => {
    const heard: string[] = [];
    const stop = streams.subscribeCore('hg.looks.shop.*', (subject, data) =>
      heard.push(`${subject} ${text(data)}`),
    );
    await streams.rtt();
    streams.publishCore('hg.looks.shop.r1', bytes('look'));
    await until(() => heard.length === 1);
    expect(heard).toEqual(['hg.looks.shop.r1 look']);
    stop();
  });

  it('asks who answers, one of several, and says so when nobody does', async () => {
    await expect(streams.ask('hg.ask.plan', bytes('how large?'), 2_000)).rejects.toThrow(/nobody answers/);
    let asked = 0;
    const answer = async (data: Uint8Array): Promise<Uint8Array> => {
      asked += 1;
      return bytes(`${text(data)} 400`);
    };
    const stops = [streams.answer('hg.ask.plan', answer), streams.answer('hg.ask.plan', answer)];
    await streams.rtt();
    expect(text(await streams.ask('hg.ask.plan', bytes('how large?'), 2_000))).toBe('how large? 400');
    expect(asked).toBe(1);
    for (const stop of stops) stop();
    await streams.rtt();
    await expect(streams.ask('hg.ask.plan', bytes('still there?'), 2_000)).rejects.toThrow(/nobody answers/);
  });
});

describe('following on nats-server', () => {
  let server: SpecServer;
  let streams: Streams;

  beforeEach(async () => {
    server = await startSpecServer();
    streams = await connectStreams({ url: server.url, name: 'spec' });
    await declareInstallation(streams, { now: NOW });
  });
  afterEach(async () => {
    await streams.close();
    await server.remove();
  });

  const publish = (n: number) =>
    streams.publish('hg.log.shop.flag.a', bytes(String(n)), { expectStream: 'LOG' });

  it('goes on without gap or repeat when the server is killed and comes back', async () => {
    const subscription = streams.follow('LOG', { from: 0 });
    const got = collect(subscription);
    let reconnects = 0;
    streams.onReconnect(() => {
      reconnects += 1;
    });
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 20; n++) await publish(round * 20 + n);
      await server.kill();
      await until(() => streams.status === 'disconnected');
      await expect(publish(0)).rejects.toThrow(Unavailable);
      await server.start();
      await until(() => reconnects === round + 1);
    }
    await publish(60);
    await until(() => got.length >= 61);
    expect(got.map((message) => Number(text(message.data)))).toEqual(Array.from({ length: 61 }, (_, n) => n));
    expect(got.map((message) => message.sequence)).toEqual(Array.from({ length: 61 }, (_, n) => NOW + n));
    await subscription.close();
  }, 30_000);

  it('cuts a range off when the server stays away, instead of waiting for ever', async () => {
    const payload = new Uint8Array(100_000);
    for (let n = 0; n < 50; n++)
      await streams.publish('hg.telemetry.shop', payload, { expectStream: 'TELEMETRY' });
    let taken = 0;
    const reading = (async () => {
      for await (const _ of streams.readRange('TELEMETRY', { from: 0 }))
        if (++taken === 1) await server.kill();
    })();
    await expect(reading).rejects.toThrow(Unavailable);
    expect(taken).toBeLessThan(50);
  }, 30_000);

  it('ends loudly when the stream comes back without what was already delivered', async () => {
    await publish(0);
    await server.kill();
    const copy = `${server.dataDir}-earlier`;
    server.copyData(copy);
    await server.start();
    await until(() => streams.status === 'connected');
    const subscription = streams.follow('LOG', { from: 0 });
    const got = collect(subscription);
    await publish(1);
    await until(() => got.length === 2);
    await server.kill();
    server.restoreData(copy);
    await server.start();
    await until(() => got.failure !== null);
    expect(got.failure).toBeInstanceOf(StreamReplaced);
    expect(got.failure?.message).toMatch('lost its tail');
  }, 30_000);

  it('ends loudly when another stream took the name', async () => {
    await publish(0);
    const subscription = streams.follow('LOG', { from: 0 });
    const got = collect(subscription);
    await until(() => got.length === 1);
    await server.kill();
    server.clearData();
    await server.start();
    await until(() => streams.status === 'connected');
    await declareInstallation(streams, { now: NOW + 1_000_000 });
    await until(() => got.failure !== null);
    expect(got.failure).toBeInstanceOf(StreamReplaced);
    expect(got.failure?.message).toMatch('created anew');
  }, 30_000);

  it('holds a slow reader back instead of losing it', async () => {
    const payload = new Uint8Array(40_000);
    for (let window = 0; window < 20; window++)
      await Promise.all(
        Array.from({ length: 50 }, () =>
          streams.publish('hg.telemetry.shop', payload, { expectStream: 'TELEMETRY' }),
        ),
      );
    const subscription = streams.follow('TELEMETRY', { from: 0 });
    let sequence = 0;
    for await (const message of subscription) {
      sequence += 1;
      expect(message.sequence).toBe(sequence);
      if (sequence % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (sequence === 1_000) break;
    }
    expect(sequence).toBe(1_000);
  }, 60_000);
});

type Collected = DeliveredMessage[] & { failure: Error | null };

function collect(subscription: Subscription): Collected {
  const got = Object.assign([], { failure: null }) as Collected;
  void (async () => {
    for await (const message of subscription) got.push(message);
  })().catch((error: Error) => {
    got.failure = error;
  });
  return got;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
