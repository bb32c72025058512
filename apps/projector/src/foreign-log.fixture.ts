import { randomBytes } from 'node:crypto';
import { type LogEvent, type LogPosition, logSubject, STREAMS } from '@headgate/contracts';
import { createTestDatabase, type EmbeddedPostgres } from '@headgate/embedded';
import { type EventStore, openMemoryEventStore } from '@headgate/event-store';
import {
  allRows,
  type Database,
  listViews,
  openDatabase,
  readArchive,
  VIEW_TABLES,
} from '@headgate/read-model';
import { uuidV7Source } from '@headgate/service-kit';
import type { MemoryStreams } from '@headgate/streams';
import { canonicalJson, type EventDraft, sealEvent } from '@headgate/trust';
import { Projection, type ProjectionNote } from './projection.js';
import { projectionPause } from './projector.module.js';

export type Written = Partial<EventDraft> & Pick<EventDraft, 'project' | 'type' | 'kind' | 'data'>;

export const newId = uuidV7Source(() => 1_780_000_000_000, randomBytes);

export const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
};

export const project = (name: string): Written => ({
  project: name,
  type: 'project-created.v1',
  kind: 'project',
  data: { slug: name, name, why: 'spec' },
});

export const flag = (name: string, key: string, over: object = {}): Written => ({
  project: name,
  type: 'flag-created.v1',
  kind: 'flag',
  data: {
    channel: 'stable',
    key,
    definition: { state: 'ENABLED', variants: { on: true }, ...over },
    why: 'x',
  },
});

/** A log that anybody may have written to, a real Postgres, and the projections between them; one of each per spec. */
export class ForeignLog {
  db!: Database;
  store!: EventStore;
  streams!: MemoryStreams;
  notes: ProjectionNote[] = [];
  readonly #heads = new Map<string, LogPosition>();
  readonly #started: Projection[] = [];

  static async open(postgres: EmbeddedPostgres): Promise<ForeignLog> {
    const log = new ForeignLog();
    log.db = openDatabase(postgres.url);
    for (const schema of ['headgate', 'headgate_g1', 'headgate_g2'])
      await log.db.schema.dropSchema(schema).ifExists().cascade().execute();
    await log.#openStore();
    return log;
  }

  start(): Projection {
    const projection = new Projection({
      store: this.store,
      db: this.db,
      pause: (_attempt, signal) => projectionPause(0, signal),
      onNote: (note) => this.notes.push(note),
    });
    this.#started.push(projection);
    projection.start();
    return projection;
  }

  /** An event of a writer that asks nobody: sealed as every reader wants it, and with its own spelling of the JSON. */
  async write(draft: Written, epoch = 1, spell: (event: object) => string = JSON.stringify) {
    const { project, kind, aggregateId = newId() } = draft;
    const event = sealEvent(
      {
        id: newId(),
        commandId: newId(),
        commandDigest: 'a'.repeat(64),
        at: 1,
        actor: 'another',
        causationId: '',
        correlationId: '',
        salt: randomBytes(16).toString('hex'),
        aggregateId,
        ...draft,
      } as EventDraft,
      this.#heads.get(project) ?? null,
      epoch,
    );
    const text = spell(event);
    await this.streams.publish(logSubject(project, kind, aggregateId), Buffer.from(text), {
      expectStream: STREAMS.log,
    });
    this.#heads.set(project, { epoch: event.epoch, position: event.position, hash: event.hash });
    return { text, event: event as LogEvent };
  }

  reaches(projection: Projection, project: string): Promise<void> {
    return until(
      () => projection.status().checkpoint?.heads[project]?.hash === this.#heads.get(project)?.hash,
    );
  }

  faults(): readonly ProjectionNote[] {
    return this.notes.filter(({ kind }) => kind === 'fault');
  }

  async archive(project: string): Promise<readonly string[]> {
    const texts: string[] = [];
    for await (const { text } of readArchive(this.db, project)) texts.push(text);
    return texts;
  }

  /** Every view of every project. Nothing is replaced in them, so tables and fold are compared as they are. */
  async tables(): Promise<string> {
    const all = await Promise.all(VIEW_TABLES.map((table) => listViews(this.db, table, null)));
    return canonicalJson(all.map((views) => views.map((view) => canonicalJson(view)).sort()));
  }

  async folded(): Promise<string> {
    const rows = await Promise.all(
      [...this.#heads.keys()].map(async (name) => allRows(name, (await this.store.project(name)).state)),
    );
    return canonicalJson(
      VIEW_TABLES.map((table) =>
        rows
          .flat()
          .flatMap((row) => (row.table === table ? [canonicalJson(row.view)] : []))
          .sort(),
      ),
    );
  }

  async closeProjections(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((projection) => projection.close()));
  }

  /** The stream is gone, and an empty one in its place. */
  async loseLog(): Promise<void> {
    await this.closeProjections();
    await this.store.close();
    await this.#openStore();
  }

  async close(): Promise<void> {
    await this.closeProjections();
    await this.store.close();
    await this.db.destroy();
  }

  async #openStore(): Promise<void> {
    const newSalt = () => randomBytes(16).toString('hex');
    const opened = await openMemoryEventStore({ clock: Date.now, newId, newSalt });
    this.store = opened.store;
    this.streams = opened.streams;
  }
}

/** Opened before each spec of the file, and closed after it. */
export const useForeignLog = (): (() => ForeignLog) => {
  let postgres: EmbeddedPostgres;
  let log: ForeignLog;
  beforeAll(async () => {
    postgres = await createTestDatabase();
  });
  afterAll(() => postgres?.stop());
  beforeEach(async () => {
    log = await ForeignLog.open(postgres);
  });
  afterEach(() => log.close());
  return () => log;
};
