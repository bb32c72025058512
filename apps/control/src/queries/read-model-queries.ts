import {
  type ChannelView,
  channelView,
  type FlagView,
  flagView,
  type ProjectView,
  projectView,
  type RolloutView,
  rolloutView,
  type SegmentView,
  SYSTEM_PROJECT,
  segmentView,
  type TokenView,
  tokenView,
} from '@headgate/contracts';
import { CommandRefused, flagName } from '@headgate/domain';
import type { EventStore } from '@headgate/event-store';
import { type Database, listViews, readCheckpoint, viewById, viewByName } from '@headgate/read-model';
import { RequestRefused } from '@headgate/service-kit';
import { Queries } from './queries.js';
import { segmentNamed, withUsers } from './segment-users.js';

export interface ReadModelOptions {
  readonly db: Database;
  /** Says how far the log is, so that a read sees every write acknowledged before it. */
  readonly store: Pick<EventStore, 'project'>;
  /** Which projects the log has, as of the call. */
  readonly projects: () => Promise<Iterable<string>>;
  readonly pause: (ms: number) => Promise<void>;
  readonly now: () => number;
}

const PATIENCE_MS = 3_000;
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

/** Reads from Postgres, once the projection has reached what the log held when the question came. */
export class ReadModelQueries extends Queries {
  constructor(private readonly options: ReadModelOptions) {
    super();
  }

  override async projects(): Promise<readonly ProjectView[]> {
    await Promise.all([...(await this.options.projects())].map((project) => this.reach(project)));
    const views = projectView.array().parse(await this.read((db) => listViews(db, 'project', null)));
    return views.sort((a, b) => (a.slug < b.slug ? -1 : 1));
  }

  override async project(slug: string): Promise<ProjectView> {
    await this.reach(slug);
    const view = await this.read((db) => viewByName(db, 'project', slug, slug));
    if (!view) throw new CommandRefused('project-unknown', `there is no project "${slug}"`);
    return projectView.parse(view);
  }

  override async channels(project: string): Promise<readonly ChannelView[]> {
    await this.project(project);
    return channelView.array().parse(await this.read((db) => listViews(db, 'channel', project)));
  }

  override async channel(project: string, slug: string): Promise<ChannelView> {
    await this.project(project);
    const view = await this.read((db) => viewByName(db, 'channel', project, slug));
    if (!view) throw new CommandRefused('channel-unknown', `project "${project}" has no channel "${slug}"`);
    return channelView.parse(view);
  }

  override async flags(project: string, channel: string): Promise<readonly FlagView[]> {
    await this.channel(project, channel);
    const views = flagView.array().parse(await this.read((db) => listViews(db, 'flag', project)));
    return views
      .filter((flag) => flag.channel === channel)
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  override async flag(project: string, channel: string, key: string): Promise<FlagView> {
    await this.channel(project, channel);
    const view = await this.read((db) => viewByName(db, 'flag', project, flagName(channel, key)));
    if (!view) throw new CommandRefused('not-found', `channel "${channel}" has no flag "${key}"`);
    return flagView.parse(view);
  }

  override async segments(project: string, channel: string): Promise<readonly SegmentView[]> {
    const flags = await this.flags(project, channel);
    const views = segmentView.array().parse(await this.read((db) => listViews(db, 'segment', project)));
    const own = views.filter((segment) => segment.channel === channel);
    return withUsers(own, flags);
  }

  override async segment(project: string, channel: string, name: string): Promise<SegmentView> {
    return segmentNamed(await this.segments(project, channel), channel, name);
  }

  override async rollouts(project: string): Promise<readonly RolloutView[]> {
    await this.project(project);
    return rolloutView
      .array()
      .parse(await this.read((db) => listViews(db, 'rollout', project)))
      .reverse();
  }

  override async rollout(project: string, id: string): Promise<RolloutView> {
    await this.project(project);
    const view = await this.read((db) => viewById(db, 'rollout', project, id));
    if (!view) throw new CommandRefused('not-found', `project "${project}" has no rollout ${id}`);
    return rolloutView.parse(view);
  }

  override async tokens(): Promise<readonly TokenView[]> {
    await this.reach(SYSTEM_PROJECT);
    return tokenView.array().parse(await this.read((db) => listViews(db, 'token', SYSTEM_PROJECT)));
  }

  /** Waits until Postgres holds the project as far as the log goes now; refuses when it does not get there in time. */
  private async reach(project: string): Promise<void> {
    const { now, pause, store } = this.options;
    const { head } = await store.project(project);
    if (!head) return;
    const deadline = now() + PATIENCE_MS;
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
      const reached = (await this.read(readCheckpoint)).heads[project]?.position ?? 0;
      if (reached >= head.position) return;
      if (now() >= deadline)
        throw new RequestRefused(
          'read-model-behind',
          `Postgres holds project "${project}" up to position ${reached}, the log goes to ${head.position}`,
        );
      await pause(wait);
    }
  }

  private async read<T>(query: (db: Database) => Promise<T>): Promise<T> {
    try {
      return await query(this.options.db);
    } catch (cause) {
      const refused = new RequestRefused('read-model-behind', 'Postgres does not answer');
      refused.cause = cause;
      throw refused;
    }
  }
}
