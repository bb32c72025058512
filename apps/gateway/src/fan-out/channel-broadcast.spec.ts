import { SignedChannel } from '../../../../test/support/signed-channel.js';
import { until } from '../../../../test/support/until.js';
import { ChannelBroadcast } from './channel-broadcast.js';
import type { ClientSocket } from './stream-client.js';

class RecordingSocket implements ClientSocket {
  readonly writes: Buffer[] = [];
  writableLength = 0;
  destroyed = false;
  isReading = true;
  private drained: (() => void)[] = [];

  write(bytes: Buffer): boolean {
    this.writes.push(bytes);
    if (!this.isReading) this.writableLength += bytes.length;
    return this.isReading;
  }
  destroy(): void {
    this.destroyed = true;
  }
  once(_event: 'drain', listener: () => void): void {
    this.drained.push(listener);
  }
  readOn(): void {
    this.isReading = true;
    this.writableLength = 0;
    for (const listener of this.drained.splice(0)) listener();
  }
  get events(): string[] {
    return [
      ...Buffer.concat(this.writes)
        .toString()
        .matchAll(/(?:id: (\S+)\n)?event: (\w+)/g),
    ].map(([, id, event]) => (id ? `${event} ${id}` : `${event}`));
  }
}

describe('ChannelBroadcast', () => {
  let channel: SignedChannel;
  let broadcast: ChannelBroadcast;
  let now: number;

  beforeEach(() => {
    now = 1_800_000_000_000;
    channel = new SignedChannel({ now: () => now });
    channel.commit(channel.document(1));
    broadcast = open();
    broadcast.onState(channel.state(), () => channel.state());
  });
  afterEach(() => broadcast.close());

  const open = (options = {}) =>
    new ChannelBroadcast({
      now: () => now,
      client: { maxBufferedBytes: 32_768, stalledMs: 30_000 },
      ...options,
    });
  const join = (lastEventId?: string, to = broadcast) => {
    const socket = new RecordingSocket();
    return { socket, leave: to.join(socket, lastEventId) };
  };
  let turn = 0;
  const change = (index = 1) => channel.commit(channel.document(index, { why: `change ${turn++}` }));

  it('gives a new client the whole state, encoded once for all of them', () => {
    const [a, b] = [join().socket, join().socket];
    expect(a.events).toEqual(['state 1.2']);
    expect(a.writes[0]).toBe(b.writes[0]);
  });

  it('sends the first commit at once, and those that follow closely in one write, the same bytes to all', async () => {
    const [a, b] = [join().socket, join().socket];
    for (let i = 0; i < 5; i += 1) broadcast.onCommit(change());
    expect(a.events).toEqual(['state 1.2', 'commit 1.3']);
    await until('the second write', () => a.writes.length > 2);
    expect(a.events.slice(2)).toEqual(['commit 1.4', 'commit 1.5', 'commit 1.6', 'commit 1.7']);
    expect(a.writes).toHaveLength(3);
    expect(a.writes[2]).toBe(b.writes[2]);
  });

  it('writes a kill at once, with all that was waiting before it', () => {
    const { socket } = join();
    broadcast.onCommit(change());
    broadcast.onCommit(change());
    expect(socket.events).toEqual(['state 1.2', 'commit 1.3']);
    const killed = { state: 'DISABLED', killed: { at: 1, why: 'x' } } as const;
    broadcast.onCommit(channel.commit(channel.document(1, killed)));
    expect(socket.events).toEqual(['state 1.2', 'commit 1.3', 'commit 1.4', 'commit 1.5']);
  });

  it.each([
    ['nothing', '1.4', ['trust', 'beat']],
    ['one commit', '1.3', ['trust', 'commit 1.4', 'beat']],
    ['two commits', '1.2', ['trust', 'commit 1.3', 'commit 1.4', 'beat']],
    ['more than the ring holds', '1.1', ['state 1.4']],
    ['another epoch', '0.3', ['state 1.4']],
    ['nothing that we know of: it is ahead', '1.9', ['trust', 'beat']],
    ['something unreadable', 'x', ['state 1.4']],
  ])('resumes a client that missed %s', (_, lastEventId, events) => {
    broadcast.onCommit(change());
    broadcast.onCommit(change());
    expect(join(lastEventId).socket.events).toEqual(events);
  });

  it('never sends a client what its first bytes already held', async () => {
    const early = join().socket;
    broadcast.onCommit(change());
    const late = join().socket;
    broadcast.onCommit(change());
    await until('the write', () => early.events.length === 3);
    expect(early.events).toEqual(['state 1.2', 'commit 1.3', 'commit 1.4']);
    expect(late.events).toEqual(['state 1.3', 'commit 1.4']);
  });

  it('keeps the order for every client while it slices, joins in between included', async () => {
    const sliced = open({ sliceSize: 3 });
    sliced.onState(channel.state(), () => channel.state());
    const sockets = Array.from({ length: 20 }, () => join(undefined, sliced).socket);
    for (let i = 0; i < 10; i += 1) {
      const index = i % 2;
      sliced.onCommit(
        channel.commit(channel.document(index + 5, { state: 'DISABLED', killed: { at: i, why: 'x' } })),
      );
      sockets.push(join(undefined, sliced).socket);
    }
    await until('the last commit everywhere', () =>
      sockets.every(({ events }) => events.at(-1)?.endsWith('1.12')),
    );
    for (const { events } of sockets) {
      const [first, ...rest] = events.map((event) => Number(event.split('.')[1]));
      expect(rest).toEqual(rest.map((_, i) => (first ?? 0) + 1 + i));
    }
    sliced.close();
  });

  describe('a client that does not read', () => {
    const stall = async () => {
      const stalled = join().socket;
      const reading = join().socket;
      stalled.isReading = false;
      for (let i = 0; i < 50; i += 1) {
        broadcast.onCommit(change());
        await until('the write', () => reading.events.at(-1) === `commit ${broadcast.revision}`);
      }
      return { stalled, reading };
    };

    it('costs the others nothing and holds no more than the limit', async () => {
      const { stalled, reading } = await stall();
      expect(reading.events).toHaveLength(51);
      expect(stalled.writableLength).toBeLessThanOrEqual(32_768);
      expect(stalled.destroyed).toBe(false);
    });

    it('gets the state of the moment when it reads again, and then goes on', async () => {
      const { stalled } = await stall();
      const before = stalled.events.length;
      stalled.readOn();
      expect(stalled.events.slice(before)).toEqual(['state 1.52']);
      broadcast.onCommit(change());
      await until('the commit', () => stalled.events.at(-1) === 'commit 1.53');
      expect(stalled.events.slice(before)).toEqual(['state 1.52', 'commit 1.53']);
    });

    it('is cut off when it does not for too long', async () => {
      const { stalled, reading } = await stall();
      now += 30_001;
      broadcast.heartbeat();
      expect(stalled.destroyed).toBe(true);
      expect(reading.destroyed).toBe(false);
      expect(broadcast.clientCount).toBe(2);
      broadcast.heartbeat();
      expect(broadcast.clientCount).toBe(1);
    });
  });

  it('passes a beat on at most once a minute, and gives newcomers a state with it', async () => {
    const { socket } = join();
    for (let i = 0; i < 5; i += 1) {
      now += 20_000;
      broadcast.onBeat(channel.beat());
    }
    await until('the beats', () => socket.events.length === 3);
    expect(socket.events).toEqual(['state 1.2', 'beat', 'beat']);
  });

  it('names revision and beat in the ETag, and encodes the answer only when one of them moved', () => {
    const first = broadcast.state();
    expect(first?.etag).toBe(`"1.2.${now}"`);
    expect(JSON.parse(first?.body.toString() ?? '')).toEqual(JSON.parse(JSON.stringify(channel.state())));
    expect(broadcast.state()).toBe(first);
    broadcast.onCommit(change());
    expect(broadcast.state()?.etag).toBe(`"1.3.${now}"`);
    now += 61_000;
    broadcast.onBeat(channel.beat());
    expect(broadcast.state()?.etag).toBe(`"1.3.${now}"`);
  });

  it('sends everybody a state that does not follow from the last', () => {
    const { socket } = join();
    change();
    change();
    broadcast.onState(channel.state(), () => channel.state());
    expect(socket.events).toEqual(['state 1.2', 'state 1.4']);
    broadcast.onState(channel.state(), () => channel.state());
    expect(socket.events).toHaveLength(2);
  });
});
