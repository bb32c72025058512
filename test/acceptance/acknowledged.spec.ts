import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Acknowledged, LogPosition } from '@headgate/contracts';
import { type EventStore, flagsHeadReader, openEventStore, WritesRefused } from '@headgate/event-store';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';
import { whereFound } from '@headgate/testing';
import { startSpecServer } from '../support/nats-server.js';
import { sampleCommands } from '../support/sample-commands.js';
import { losePower, readSyncs, straceInto } from '../support/synced-files.js';

const NOW = 1_780_000_000_000;
const WRITES = 40;
const isLogBlock = (path: string): boolean => path.includes('/streams/LOG/msgs/') && path.endsWith('.blk');

/**
 * DESIGN.md §2: *acknowledged* means synced to disk. kill -9 cannot show it, because the page cache outlives the process: so
 * the syncs are counted, and a power loss is made by cutting LOG's files to what had been synced.
 */
describe('what is acknowledged', () => {
  whereFound(
    'strace',
    'is synced before the answer, at least once per answer, and outlives a power loss',
    async () => {
      const { syncs, acked, after } = await writeAndLosePower('always');
      expect(syncs).toBeGreaterThanOrEqual(acked.length);
      expect(after.positions).toEqual(acked.map(({ position }) => position));
      expect(after.hashes).toEqual(acked.map(({ hash }) => hash));
      expect(after.next).toBe(acked.length + 1);
    },
    60_000,
  );

  whereFound(
    'strace',
    "control: under the server's default sync setting answers come without a sync and are lost, and every witness says so",
    async () => {
      const { syncs, acked, after } = await writeAndLosePower(null);
      expect(syncs).toBeLessThan(acked.length);
      expect(after.positions.length).toBeLessThan(acked.length);
      expect(after.next).toBeInstanceOf(WritesRefused);
    },
    60_000,
  );

  it('is refused to be written over when the server comes back with an earlier tail, until the tail is back', async () => {
    const server = await startSpecServer();
    const directory = mkdtempSync(join(tmpdir(), 'hg-acked-'));
    const streams = await connectStreams({ url: server.url, name: 'spec' });
    await declareInstallation(streams, { now: NOW });
    const writer = await openStore(streams);
    const acked = [await writer.write(3)];
    const restart = async (change: () => void) => {
      await server.kill();
      change();
      await server.start();
      await until(() => streams.status === 'connected');
    };
    await restart(() => server.copyData(join(directory, 'earlier')));
    acked.push(await writer.write(3));
    const archived = acked.at(-1)?.at(-1) as LogPosition;
    await publishCommit(streams, archived);
    await restart(() => server.copyData(join(directory, 'whole')));

    await restart(() => server.restoreData(join(directory, 'earlier')));
    // The process that wrote it remembers; a new one asks the archive, or FLAGS where that was not lost with the log.
    await expect(writer.write(1)).rejects.toThrow('this installation once held epoch 1, position 6');
    const beside = await openStore(streams, { archiveHead: async () => archived });
    await expect(beside.write(1)).rejects.toThrow('its archive held epoch 1, position 6');
    await publishCommit(streams, archived);
    const behindFlags = await openStore(streams, { flagsHead: flagsHeadReader(streams) });
    await expect(behindFlags.write(1)).rejects.toThrow('FLAGS held epoch 1, position 6');
    // Control: without a witness the same log is written to, and history forks.
    const careless = await openStore(streams);
    const forked = await careless.write(1);
    expect(forked[0]?.position).toBe(4);

    await restart(() => server.restoreData(join(directory, 'whole')));
    const [next] = await writer.write(1);
    expect(next?.position).toBe(7);
    for (const each of [writer, beside, behindFlags]) await each.store.close();
    await streams.close();
    await server.remove();
    rmSync(directory, { recursive: true });
  }, 60_000);
});

async function writeAndLosePower(sync: 'always' | null) {
  const directory = mkdtempSync(join(tmpdir(), 'hg-acked-'));
  const trace = join(directory, 'trace');
  const server = await startSpecServer({ sync, under: straceInto(trace) });
  const streams = await connectStreams({ url: server.url, name: 'spec' });
  await declareInstallation(streams, { now: NOW });
  const before = readSyncs(trace, isLogBlock).count;
  const writer = await openStore(streams);
  const acked = await writer.write(WRITES);
  await server.kill();
  const synced = readSyncs(trace, isLogBlock);
  losePower(synced);
  await server.start();
  await until(() => streams.status === 'connected');
  const positions: number[] = [];
  const hashes: string[] = [];
  for await (const { event } of writer.store.read()) {
    positions.push(event.position);
    hashes.push(event.hash);
  }
  const next = await writer.write(1).then(
    ([one]) => one?.position,
    (error: unknown) => error,
  );
  await writer.store.close();
  await streams.close();
  await server.remove();
  rmSync(directory, { recursive: true });
  return { syncs: synced.count - before, acked, after: { positions, hashes, next } };
}

const commands = sampleCommands();
let ids = 0;

/** A store of one project, and a way to write n facts one after the other. */
async function openStore(
  streams: Streams,
  guards: Parameters<typeof openEventStore>[0]['guards'] = {},
): Promise<{ readonly store: EventStore; write(count: number): Promise<Acknowledged[]> }> {
  const store = await openEventStore({
    streams,
    clock: () => NOW,
    newId: () => commands.uuid(1_000_000 + ++ids),
    newSalt: () => '0'.repeat(32),
    random: () => 0.5,
    guards,
  });
  const write = async (count: number): Promise<Acknowledged[]> => {
    const answers: Acknowledged[] = [];
    for (let n = 0; n < count; n++) {
      const isFirst = (await store.project('shop')).head === null;
      const command = isFirst ? commands.createProject('shop') : commands.createChannel('shop', `c${++ids}`);
      answers.push(await store.handle(command, { commandId: commands.commandId(), actor: 'spec' }));
    }
    return answers;
  };
  return { store, write };
}

const publishCommit = (streams: Streams, { epoch, position }: LogPosition) => {
  const zeros = '0'.repeat(64);
  const h = {
    project: 'shop',
    channel: 'stable',
    epoch,
    n: 1,
    position,
    prevHead: zeros,
    setDigest: zeros,
    documentCount: 0,
    changesDigest: zeros,
  };
  const commit = { head: { h, sig: { keyId: zeros, sig: zeros + zeros } }, changes: [] };
  return streams.publish('hg.flags.shop.stable.c.1', Buffer.from(JSON.stringify(commit)), {
    expectStream: 'FLAGS',
  });
};

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
