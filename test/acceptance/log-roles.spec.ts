import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedNats, type NatsRole, startNats } from '@headgate/embedded';
import { type EventStore, flagsHeadReader, openEventStore } from '@headgate/event-store';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';
import { sampleCommands } from '../support/sample-commands.js';

const NOW = 1_780_000_000_000;

/** The log as an installation runs it: generated passwords, accounts, and a role per process with no more rights than its job. */
describe('the log under the roles of an installation', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hg-roles-'));
  const connections: Streams[] = [];
  const stores: EventStore[] = [];
  const commands = sampleCommands();
  let nats: EmbeddedNats;
  let ids = 0;

  beforeAll(async () => {
    nats = await startNats({ dataDir: join(directory, 'nats') });
    await declareInstallation(await connectAs('admin'), { now: NOW });
  }, 60_000);
  afterAll(async () => {
    for (const store of stores) await store.close();
    for (const streams of connections) await streams.close();
    await nats.stop();
    rmSync(directory, { recursive: true });
  });

  const connectAs = async (role: NatsRole): Promise<Streams> => {
    const { servers, user, pass, inboxPrefix } = nats.credentials(role);
    const streams = await connectStreams({ url: servers, user, password: pass, inboxPrefix, name: role });
    connections.push(streams);
    return streams;
  };
  const openAs = async (role: NatsRole): Promise<EventStore> => {
    const streams = await connectAs(role);
    const store = await openEventStore({
      streams,
      clock: () => NOW,
      newId: () => commands.uuid(1_000_000 + ++ids),
      newSalt: () => randomBytes(16).toString('hex'),
      patienceMs: 1_000,
      guards: { flagsHead: flagsHeadReader(streams) },
    });
    stores.push(store);
    return store;
  };
  const meta = () => ({ commandId: commands.commandId(), actor: 'spec' });

  it('is written by control, rollouts and analysis, and read by all who fold it, through a restart', async () => {
    const control = await openAs('control');
    await control.handle(commands.createProject('shop'), meta());
    for (const role of ['rollouts', 'analysis'] as const)
      await (await openAs(role)).handle(commands.createChannel('shop', role), meta());
    const followed = await Promise.all(
      (['projector', 'publisher', 'rollouts'] as const).map(async (role) => {
        const seen: number[] = [];
        const follower = (await openAs(role)).follow({ from: null });
        void (async () => {
          for await (const { event } of follower) seen.push(event.position);
        })().catch(() => {});
        return seen;
      }),
    );
    await nats.restart();
    expect((await control.handle(commands.createChannel('shop', 'later'), meta())).position).toBe(4);
    await until(() => followed.every((seen) => seen.length === 4));
    expect(followed).toEqual([1, 2, 3].map(() => [1, 2, 3, 4]));
  }, 60_000);

  it('is read to its end by a role that answers flow control, however much there is', async () => {
    const publisher = await connectAs('publisher');
    const payload = new Uint8Array(60_000);
    for (let n = 0; n < 400; n++)
      await publisher.publish(`hg.flags.bulk.stable.c.${n}`, payload, { expectStream: 'FLAGS' });
    const gateway = await connectAs('gateway');
    let taken = 0;
    for await (const _ of gateway.readRange('FLAGS', { from: 0, filter: 'hg.flags.bulk.>' })) taken += 1;
    expect(taken).toBe(400);
  }, 60_000);

  it.each(['publisher', 'projector', 'gateway', 'collector', 'admin'] as const)(
    'takes no event from %s, and says so at once',
    async (role) => {
      const streams = await connectAs(role);
      await expect(
        streams.publish('hg.log.shop.flag.a', Buffer.from('{}'), { expectStream: 'LOG', timeoutMs: 2_000 }),
      ).rejects.toThrow(/may not publish|refused|Permissions/);
    },
    20_000,
  );
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
