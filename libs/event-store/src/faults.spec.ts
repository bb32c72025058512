import type { Acknowledged } from '@headgate/contracts';
import { type Command, CommandRefused } from '@headgate/domain';
import { connectStreams, declareInstallation, openMemoryStreams, type Streams } from '@headgate/streams';
import fc from 'fast-check';
import { faultyStreams, type PublishFault } from '../../../test/support/faulty-streams.js';
import { startSpecServer } from '../../../test/support/nats-server.js';
import { sampleCommands } from '../../../test/support/sample-commands.js';
import type { EventStore, StoredEvent } from './event-store.js';
import { openEventStore } from './open-event-store.js';

const NOW = 1_780_000_000_000;
const WRITERS = 3;

interface Story {
  readonly faults: readonly PublishFault[];
  readonly readFails: readonly boolean[];
  /** Which writer sends the n-th command. */
  readonly writers: readonly number[];
  /** After the n-th command was sent: let late messages arrive, or lose the connection for a moment. */
  readonly events: readonly ('nothing' | 'release-late' | 'reconnect')[];
}

const story: fc.Arbitrary<Story> = fc.record({
  faults: fc.array(
    fc.constantFrom<PublishFault>(
      'none',
      'none',
      'none',
      'lost-ack',
      'lost-message',
      'late',
      'away',
      'said-duplicate',
    ),
    { minLength: 4, maxLength: 30 },
  ),
  readFails: fc.array(fc.constantFrom(false, false, false, false, true), { minLength: 1, maxLength: 20 }),
  writers: fc.array(fc.nat(WRITERS - 1), { minLength: 3, maxLength: 16 }),
  events: fc.array(fc.constantFrom('nothing', 'nothing', 'release-late', 'reconnect'), {
    minLength: 1,
    maxLength: 8,
  }),
});

/** Everything that must be true of a log after any story; null when it is. */
const whatIsWrong = (
  log: readonly StoredEvent[],
  acked: ReadonlyMap<string, Acknowledged>,
): string | null => {
  const times = new Map<string, number>();
  for (const { event } of log) times.set(event.commandId, (times.get(event.commandId) ?? 0) + 1);
  for (const [commandId, count] of times)
    if (count > 1) return `command ${commandId} was written ${count} times`;
  const positions = log.map(({ event }) => event.position);
  if (positions.some((position, index) => position !== index + 1)) return `positions ${positions}`;
  for (const [commandId, answer] of acked) {
    const found = log[answer.position - 1]?.event;
    if (found?.commandId !== commandId || found.hash !== answer.hash)
      return `acknowledged ${commandId} at ${answer.position}, found ${found?.commandId}`;
  }
  return null;
};

const tell = async (
  { faults, readFails, writers, events }: Story,
  dropExpectations = false,
): Promise<string | null> => {
  const memory = openMemoryStreams({ now: () => NOW });
  await declareInstallation(memory, { now: NOW });
  const { createProject, createChannel, commandId, uuid } = sampleCommands();
  let ids = 0;
  let publishes = 0;
  let reads = 0;
  let isCalm = true;
  const opened = await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      const faulty = faultyStreams(memory, {
        nextPublish: () => (isCalm ? 'none' : (faults[publishes++ % faults.length] ?? 'none')),
        nextReadFails: () => !isCalm && (readFails[reads++ % readFails.length] ?? false),
        dropExpectations,
      });
      return { faulty, store: await openOn(faulty.streams, () => uuid(1_000_000 + ++ids)) };
    }),
  );
  const acked = new Map<string, Acknowledged>();
  const send = async (store: EventStore, command: Command) => {
    const id = commandId();
    // As a caller does who was told that the outcome is unknown: the same command again, under the same id.
    for (let tries = 0; tries < 4 && !acked.has(id); tries++) {
      try {
        acked.set(id, await store.handle(command, { commandId: id, actor: 'spec' }));
      } catch (error) {
        if (error instanceof CommandRefused) return;
      }
    }
  };
  await send((opened[0] as { store: EventStore }).store, createProject('shop'));
  isCalm = false;
  const sent: Promise<void>[] = [];
  for (const [index, writer] of writers.entries()) {
    sent.push(send((opened[writer] as { store: EventStore }).store, createChannel('shop', `c${index}`)));
    const event = events[index % events.length];
    if (event === 'release-late')
      for (const { faulty } of opened) await faulty.releaseLate((late) => late.reverse());
    if (event === 'reconnect') {
      memory.disconnect();
      await new Promise((resolve) => setImmediate(resolve));
      memory.reconnect();
    }
  }
  await Promise.all(sent);
  isCalm = true;
  for (const { faulty } of opened) await faulty.releaseLate();
  const log: StoredEvent[] = [];
  try {
    for await (const event of (opened[0] as { store: EventStore }).store.read()) log.push(event);
    const folded = await Promise.all(
      opened.map(async ({ store }) => (await store.project('shop')).state.channels.size),
    );
    if (folded.some((size) => size !== log.length - 1))
      return `folds of ${folded} channels, log of ${log.length} events`;
  } catch (error) {
    return (error as Error).message;
  }
  return whatIsWrong(log, acked);
};

const openOn = (streams: Streams, newId: () => string, patienceMs = 60): Promise<EventStore> =>
  openEventStore({
    streams,
    clock: () => NOW,
    newId,
    newSalt: () => '0'.repeat(32),
    random: () => 0.5,
    patienceMs,
  });

describe('an event store under faults', () => {
  it('loses and doubles nothing that it acknowledged, whatever happens to messages and acks', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (each) => {
        expect(await tell(each)).toBeNull();
      }),
      { numRuns: 80 },
    );
  }, 120_000);

  it('control: without the expected sequence the same stories double events or break the chain', async () => {
    const wrong: string[] = [];
    for (const each of fc.sample(story, { numRuns: 40, seed: 7 })) {
      const found = await tell(each, true);
      if (found !== null) wrong.push(found);
    }
    expect(wrong.length).toBeGreaterThan(10);
  }, 120_000);

  it('survives kill -9 of the server in the middle of writes, again and again', async () => {
    const server = await startSpecServer();
    const { createProject, createChannel, commandId, uuid } = sampleCommands();
    let ids = 0;
    const connections = await Promise.all(
      [0, 1].map((n) => connectStreams({ url: server.url, name: `w${n}` })),
    );
    await declareInstallation(connections[0] as Streams, { now: NOW });
    const stores = await Promise.all(
      connections.map((streams) =>
        openEventStore({
          streams,
          clock: () => NOW,
          newId: () => uuid(1_000_000 + ++ids),
          newSalt: () => '0'.repeat(32),
          random: () => 0.5,
        }),
      ),
    );
    const acked = new Map<string, Acknowledged>();
    const first = commandId();
    acked.set(
      first,
      await (stores[0] as EventStore).handle(createProject('shop'), { commandId: first, actor: 'spec' }),
    );
    const followed: number[] = [];
    const follower = (stores[1] as EventStore).follow({ from: null });
    const following = (async () => {
      for await (const { event } of follower) followed.push(event.position);
    })();
    const write = async (store: EventStore, prefix: string, count: number) => {
      for (let n = 0; n < count; n++) {
        const id = commandId();
        const command = createChannel('shop', `${prefix}-${n}`);
        for (;;) {
          try {
            acked.set(id, await store.handle(command, { commandId: id, actor: 'spec' }));
            break;
          } catch (error) {
            if (error instanceof CommandRefused) throw error;
          }
        }
      }
    };
    let isWriting = true;
    const writing = Promise.all(stores.map((store, index) => write(store, `w${index}`, 150))).finally(() => {
      isWriting = false;
    });
    let kills = 0;
    while (isWriting && kills < 5) {
      const goal = acked.size + 20;
      while (isWriting && acked.size < goal) await new Promise((resolve) => setTimeout(resolve, 1));
      await server.kill();
      kills += 1;
      await server.start();
    }
    await writing;
    const log: StoredEvent[] = [];
    for await (const event of (stores[0] as EventStore).read()) log.push(event);
    expect(kills).toBe(5);
    expect(log).toHaveLength(301);
    expect(whatIsWrong(log, acked)).toBeNull();
    while (followed.length < 301) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(followed).toEqual(Array.from({ length: 301 }, (_, n) => n + 1));
    await follower.close();
    await following;
    for (const store of stores) await store.close();
    for (const streams of connections) await streams.close();
    await server.remove();
  }, 120_000);

  it('says that the outcome is unknown when the server hangs, and the repeat finds what came late', async () => {
    const server = await startSpecServer();
    const streams = await connectStreams({ url: server.url, name: 'spec' });
    await declareInstallation(streams, { now: NOW });
    const { createProject, createChannel, commandId, uuid } = sampleCommands();
    let ids = 0;
    const store = await openOn(streams, () => uuid(1_000_000 + ++ids), 2_000);
    await store.handle(createProject('shop'), { commandId: commandId(), actor: 'spec' });
    process.kill(server.pid, 'SIGSTOP');
    const orders = Array.from({ length: 5 }, (_, n) => ({
      command: createChannel('shop', `c${n}`),
      meta: { commandId: commandId(), actor: 'spec' },
    }));
    const send = () => Promise.allSettled(orders.map(({ command, meta }) => store.handle(command, meta)));
    const hung = await send();
    // The first was sent; those behind it were not, and are told so.
    expect(hung.map((each) => each.status === 'rejected' && each.reason.code)).toEqual([
      'outcome-unknown',
      ...Array(4).fill('log-unavailable'),
    ]);
    process.kill(server.pid, 'SIGCONT');
    const log = async () => {
      const events: StoredEvent[] = [];
      for await (const event of store.read()) events.push(event);
      return events;
    };
    while ((await log()).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const answers = (await send()).map((each) => each.status === 'fulfilled' && each.value);
    expect(answers.map((answer) => answer && [answer.position, answer.repeated])).toEqual([
      [2, true],
      [3, false],
      [4, false],
      [5, false],
      [6, false],
    ]);
    expect(await log()).toHaveLength(6);
    await store.close();
    await streams.close();
    await server.remove();
  }, 60_000);
});
