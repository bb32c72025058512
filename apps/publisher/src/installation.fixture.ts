import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChannelStream,
  openChannelStream,
  type RefusedMessage,
  readChannel,
} from '@headgate/channel-stream';
import { type FlagDocument, STREAMS } from '@headgate/contracts';
import type { Command } from '@headgate/domain';
import { type EventStore, openEventStore, type StoredEvent } from '@headgate/event-store';
import {
  connectStreams,
  declareInstallation,
  type MemoryStreams,
  openMemoryStreams,
  type Streams,
} from '@headgate/streams';
import { type ChannelReader, canonicalJson } from '@headgate/trust';
import { type SpecServer, startSpecServer } from '../../../test/support/nats-server.js';
import { sampleCommands } from '../../../test/support/sample-commands.js';
import { until } from '../../../test/support/until.js';
import { TrustKeeper } from './keys/trust-keeper.js';
import { ProjectFold } from './log/project-fold.js';
import { Publisher, type PublisherNote } from './publisher.js';

export const PLACE = { project: 'shop', channel: 'stable' } as const;

export interface Installation {
  readonly streams: Streams;
  readonly store: EventStore;
  readonly server: SpecServer | null;
  readonly commands: ReturnType<typeof sampleCommands>;
  readonly keysFolder: string;
  /** Another publisher on the same keys and streams; `via` stands between it and the streams. */
  publisher(options?: { via?: (streams: Streams) => Streams; store?: EventStore; beatEveryMs?: number }): {
    readonly publisher: Publisher;
    readonly notes: PublisherNote[];
  };
  keeper(): TrustKeeper;
  handle(command: Command): Promise<{ readonly position: number }>;
  createFlag(key: string): Promise<string>;
  changeFlag(flagId: string, variant: 'on' | 'off', padding?: string): Promise<{ readonly position: number }>;
  /** What a reader with nothing but the pin makes of FLAGS now. */
  coldRead(): Promise<Awaited<ReturnType<typeof readChannel>>['reader']>;
  /** A reader that remembers what `before` has seen, as a gateway does from its disk. */
  follow(before: ChannelReader): { readonly reader: ChannelReader; readonly refused: RefusedMessage[] };
  /** FLAGS is gone, and declared anew as the next start does. */
  loseFlags(): Promise<void>;
  /** The channel's documents by the log alone, up to a position. */
  folded(position?: number): Promise<Map<string, FlagDocument>>;
  /** Waits until a cold reader has what the log says. */
  untilPublished(): Promise<void>;
  close(): Promise<void>;
}

export async function openInstallation(where: 'in memory' | 'on nats-server'): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'hg-publisher-'));
  const server = where === 'in memory' ? null : await startSpecServer();
  const clock = Date.now;
  const streams =
    server === null
      ? openMemoryStreams({ now: clock })
      : await connectStreams({ url: server.url, name: 'spec' });
  await declareInstallation(streams, { now: clock() });
  const commands = sampleCommands();
  let ids = 0;
  const store = await openEventStore({
    streams,
    clock,
    newId: () => commands.uuid(1_000_000 + ++ids),
    newSalt: () => randomBytes(16).toString('hex'),
  });
  const publishers: Publisher[] = [];
  const followed: ChannelStream[] = [];
  const keysFolder = join(folder, 'keys');
  const keeper = () => new TrustKeeper({ folder: keysFolder, now: clock });
  const handle = (command: Command) =>
    store.handle(command, { commandId: commands.commandId(), actor: 'spec' });
  const definition = (defaultVariant: string, padding?: string) => ({
    state: 'ENABLED' as const,
    variants: { on: 'on', off: 'off', ...(padding === undefined ? {} : { padding }) },
    defaultVariant,
    overridable: 'none' as const,
  });
  const coldRead = async () => {
    const { pin } = keeper();
    return (await readChannel({ ...PLACE, streams, stream: STREAMS.flags, pin, now: clock })).reader;
  };
  const log: StoredEvent[] = [];
  const folded = async (position = Number.POSITIVE_INFINITY) => {
    const from = (log.at(-1)?.streamSequence ?? 0) + 1;
    for await (const stored of store.read({ project: PLACE.project, from }))
      if (stored.streamSequence > (log.at(-1)?.streamSequence ?? 0)) log.push(stored);
    const fold = new ProjectFold(PLACE.project);
    for (const { event } of log) if (event.position <= position) fold.apply(event);
    const documentOf = fold.documents(PLACE.channel);
    const flagIds = [...fold.flagIds(PLACE.channel, new Map())];
    return new Map(
      flagIds.flatMap((id) => {
        const document = documentOf(id);
        return document === null ? [] : [[id, document] as const];
      }),
    );
  };
  const installation: Installation = {
    streams,
    store,
    server,
    commands,
    keysFolder,
    keeper,
    handle,
    coldRead,
    folded,
    publisher: ({ via = (same: Streams) => same, store: from = store, beatEveryMs = 60_000 } = {}) => {
      const notes: PublisherNote[] = [];
      const publisher = new Publisher({
        store: from,
        streams: via(streams),
        keeper: keeper(),
        now: clock,
        beatEveryMs,
        pause: (signal) =>
          new Promise((resolve) => {
            const timer = setTimeout(resolve, 20);
            signal.addEventListener('abort', () => {
              clearTimeout(timer);
              resolve();
            });
          }),
        onNote: (note) => notes.push(note),
      });
      publishers.push(publisher);
      publisher.start();
      return { publisher, notes };
    },
    follow: (before) => {
      const refused: RefusedMessage[] = [];
      const channel = openChannelStream({
        ...PLACE,
        streams,
        stream: STREAMS.flags,
        pin: keeper().pin,
        now: clock,
        seen: before.seen,
        local: before.localState(),
        onChange: () => {},
        onRefused: (message) => refused.push(message),
      });
      followed.push(channel);
      return { reader: channel.reader, refused };
    },
    loseFlags: async () => {
      if (server === null) (streams as MemoryStreams).remove(STREAMS.flags);
      else {
        await server.kill();
        rmSync(join(server.dataDir, 'jetstream', '$G', 'streams', STREAMS.flags), { recursive: true });
        await server.start();
      }
      await until('FLAGS to be declared anew', () =>
        declareInstallation(streams, { now: clock() }).then(
          () => true,
          () => false,
        ),
      );
    },
    createFlag: async (key) => {
      const command = commands.createFlag(PLACE.project, PLACE.channel, key) as { flagId: string } & Command;
      await handle(command);
      return command.flagId;
    },
    changeFlag: (flagId, variant, padding) =>
      handle({
        type: 'change-flag',
        project: PLACE.project,
        flagId,
        definition: definition(variant, padding),
        why: 'a spec says so',
      }),
    untilPublished: async () => {
      const wanted = sorted(await folded());
      await until('FLAGS to say what the log says', async () => {
        const { state } = await coldRead();
        return state !== null && canonicalJson(sorted(state.documents)) === canonicalJson(wanted);
      });
    },
    close: async () => {
      await Promise.all(followed.map((channel) => channel.close()));
      await Promise.all(publishers.map((publisher) => publisher.close()));
      await store.close();
      await streams.close();
      await server?.remove();
      rmSync(folder, { recursive: true });
    },
  };
  await handle(commands.createProject(PLACE.project));
  await handle(commands.createChannel(PLACE.project, PLACE.channel));
  return installation;
}

export const sorted = (documents: ReadonlyMap<string, FlagDocument>): FlagDocument[] =>
  [...documents.values()].sort((a, b) => (a.flagId < b.flagId ? -1 : 1));
