import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from '@headgate/domain';
import { type EventStore, openMemoryEventStore } from '@headgate/event-store';
import { Publisher, TrustKeeper } from '@headgate/publisher';
import type { Streams } from '@headgate/streams';
import { sampleCommands } from '../../../../test/support/sample-commands.js';
import { until } from '../../../../test/support/until.js';
import { channelChecks } from './channel-checks.js';

describe('the checks of the channels', () => {
  const commands = sampleCommands();
  let folder: string;
  let store: EventStore;
  let streams: Streams;
  let keeper: TrustKeeper;
  let publisher: Publisher;
  let flagId: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hg-doctor-'));
    ({ store, streams } = await openMemoryEventStore({
      clock: Date.now,
      newId: commands.commandId,
      newSalt: () => randomBytes(16).toString('hex'),
    }));
    keeper = new TrustKeeper({ folder: join(folder, 'keys'), now: Date.now });
    await handle(commands.createProject('shop'));
    await handle(commands.createChannel('shop', 'stable'));
    const create = commands.createFlag('shop', 'stable', 'checkout') as Command & { flagId: string };
    ({ flagId } = create);
    await handle(create);
    publisher = new Publisher({
      store,
      streams,
      keeper,
      now: Date.now,
      beatEveryMs: 60_000,
      pause: (signal) => wait(20, undefined, { signal }).catch(() => undefined),
    });
  });
  afterEach(async () => {
    await publisher.close();
    await store.close();
    await streams.close();
    rmSync(folder, { recursive: true });
  });

  const handle = (command: Command) =>
    store.handle(command, { commandId: commands.commandId(), actor: 'spec' });
  const check = (pause: () => Promise<unknown> = async () => undefined) =>
    channelChecks({ store, streams, pin: keeper.pin, now: Date.now, pause });
  const published = async () => {
    publisher.start();
    await until('the publisher to be through', () => publisher.trouble === null);
  };

  it('is well when the channel says what the log says', async () => {
    await published();
    expect(await check()).toEqual([
      { name: 'channel shop/stable', ok: true, detail: 'commit 1 says what the log says' },
    ]);
  });

  it('fails, with the flag and how far it is, when a kill is not published', async () => {
    await published();
    await publisher.close();
    await handle(commands.killFlag('shop', flagId));
    expect(await check()).toEqual([
      {
        name: 'channel shop/stable',
        ok: false,
        detail:
          'does not follow the log: "checkout" as of position 4 (log: 4) not published; commit 1 covers position 3',
      },
    ]);
  });

  it('fails while nothing is published, and gives the publisher a moment', async () => {
    expect(await check()).toMatchObject([
      { ok: false, detail: 'nothing that a reader can verify is published' },
    ]);
    expect(await check(published)).toMatchObject([{ ok: true }]);
  });

  it('takes a flag that came and went unpublished for nothing to publish', async () => {
    await published();
    await publisher.close();
    const create = commands.createFlag('shop', 'stable', 'brief') as Command & { flagId: string };
    await handle(create);
    await handle({ type: 'archive-flag', project: 'shop', flagId: create.flagId, why: 'a spec says so' });
    expect(await check()).toMatchObject([{ ok: true }]);
  });
});
