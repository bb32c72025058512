import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnalysisArchive, AnalysisModule, openAnalysisArchive } from '@headgate/analysis';
import { appendTo, CollectorModule } from '@headgate/collector';
import { type EmbeddedNats, type NatsUser, startNats } from '@headgate/embedded';
import { type EventStore, openEventStore } from '@headgate/event-store';
import { RolloutsModule } from '@headgate/rollouts';
import {
  FixedBearers,
  Log,
  type RunningService,
  runService,
  secretHash,
  uuidV7Source,
} from '@headgate/service-kit';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';

/** A site's telemetry side on a real nats-server: collector, analysis and reactor, each with the rights of its own role. */
export interface TelemetrySite {
  readonly nats: EmbeddedNats;
  /** With the rights of control: what a person does. */
  readonly store: EventStore;
  readonly token: string;
  readonly log: readonly string[];
  readonly archive: AnalysisArchive;
  readonly newId: () => string;
  /** Streams with the rights of a role. */
  connect(role: NatsUser): Promise<Streams>;
  openStore(role: NatsUser): Promise<EventStore>;
  startCollector(): Promise<RunningService>;
  startAnalysis(): Promise<RunningService>;
  startRollouts(): Promise<RunningService>;
  close(): Promise<void>;
}

export const openTelemetrySite = async (): Promise<TelemetrySite> => {
  const root = mkdtempSync(join(tmpdir(), 'hg-telemetry-'));
  const nats = await startNats({ dataDir: join(root, 'nats') });
  const closing: (() => Promise<void>)[] = [];
  const lines: string[] = [];
  const newId = uuidV7Source(Date.now);
  const token = 'spec-ingest-token';
  const connect = async (role: NatsUser): Promise<Streams> => {
    const { user, pass, inboxPrefix } = nats.credentials(role);
    const streams = await connectStreams({
      url: nats.url,
      user,
      password: pass,
      inboxPrefix,
      name: `spec ${role}`,
    });
    closing.push(() => streams.close());
    return streams;
  };
  const storeOver = async (streams: Streams): Promise<EventStore> => {
    const store = await openEventStore({
      streams,
      clock: Date.now,
      newId,
      newSalt: () => randomBytes(16).toString('hex'),
    });
    closing.push(() => store.close());
    return store;
  };
  const start = async (name: string, module: Parameters<typeof runService>[0]['modules'][number]) => {
    const log = new Log({ service: name, level: 'info', now: Date.now, write: (line) => lines.push(line) });
    const service = await runService({ name, modules: [module], log, drainMs: 500 });
    closing.push(() => service.close());
    return service;
  };
  const admin = await connect('admin');
  await declareInstallation(admin, { now: Date.now() });
  const archive = await openAnalysisArchive({
    folder: join(root, 'analyses'),
    maxAgeMs: 86_400_000,
    now: Date.now,
  });
  return {
    nats,
    store: await storeOver(await connect('control')),
    token,
    log: lines,
    archive,
    newId,
    connect,
    openStore: async (role) => storeOver(await connect(role)),
    startCollector: async () => {
      const caller = { tokenId: 'ingest', role: 'viewer', project: null } as const;
      const bearers = new FixedBearers([{ secretHash: secretHash(token), caller }]);
      const append = appendTo(await connect('collector'));
      return start('collector', CollectorModule.register({ append, bearers, clock: Date.now }));
    },
    startAnalysis: async () => {
      const streams = await connect('analysis');
      const store = await storeOver(streams);
      return start('analysis', AnalysisModule.register({ store, streams, archive, now: Date.now }));
    },
    startRollouts: async () =>
      start('rollouts', RolloutsModule.register({ store: await storeOver(await connect('rollouts')) })),
    close: async () => {
      for (const close of closing.reverse()) await close();
      await nats.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
};
