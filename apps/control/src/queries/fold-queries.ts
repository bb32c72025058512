import {
  type ChannelView,
  type FlagView,
  type ProjectView,
  type RolloutView,
  type SegmentView,
  SYSTEM_PROJECT,
  type TokenView,
} from '@headgate/contracts';
import {
  CommandRefused,
  flagName,
  type ProjectState,
  viewChannel,
  viewFlag,
  viewProject,
  viewRollout,
  viewSegment,
  viewToken,
} from '@headgate/domain';
import type { EventStore } from '@headgate/event-store';
import type { LogFeed } from '../log/log-feed.js';
import { Queries } from './queries.js';
import { segmentNamed, withUsers } from './segment-users.js';

/** Reads from the fold that deciders use too: always as new as the log, and there when Postgres is not. */
export class FoldQueries extends Queries {
  constructor(
    private readonly store: Pick<EventStore, 'project'>,
    private readonly feed: Pick<LogFeed, 'projects'>,
  ) {
    super();
  }

  override async projects(): Promise<readonly ProjectView[]> {
    const slugs = await this.feed.projects();
    return Promise.all([...slugs].sort().map((slug) => this.project(slug)));
  }

  override async project(slug: string): Promise<ProjectView> {
    return viewOfProject(await this.stateOf(slug), slug);
  }

  override async channels(project: string): Promise<readonly ChannelView[]> {
    const { channels } = await this.stateOf(project);
    return [...channels.values()].map((channel) => viewChannel(project, channel));
  }

  override async channel(project: string, slug: string): Promise<ChannelView> {
    const channel = (await this.stateOf(project)).channels.get(slug);
    if (!channel)
      throw new CommandRefused('channel-unknown', `project "${project}" has no channel "${slug}"`);
    return viewChannel(project, channel);
  }

  override async flags(project: string, channel: string): Promise<readonly FlagView[]> {
    await this.channel(project, channel);
    const { flags } = await this.stateOf(project);
    return [...flags.values()]
      .filter((flag) => flag.channel === channel)
      .map((flag) => viewFlag(project, flag))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  override async flag(project: string, channel: string, key: string): Promise<FlagView> {
    await this.channel(project, channel);
    const { flagIds, flags } = await this.stateOf(project);
    const flag = flags.get(flagIds.get(flagName(channel, key)) ?? '');
    if (!flag) throw new CommandRefused('not-found', `channel "${channel}" has no flag "${key}"`);
    return viewFlag(project, flag);
  }

  override async segments(project: string, channel: string): Promise<readonly SegmentView[]> {
    const flags = await this.flags(project, channel);
    const { segments } = await this.stateOf(project);
    const own = [...segments.values()].filter((segment) => segment.channel === channel);
    return withUsers(
      own.map((segment) => viewSegment(project, segment)),
      flags,
    );
  }

  override async segment(project: string, channel: string, name: string): Promise<SegmentView> {
    return segmentNamed(await this.segments(project, channel), channel, name);
  }

  override async rollouts(project: string): Promise<readonly RolloutView[]> {
    const state = await this.stateOf(project);
    return [...state.rollouts.keys()].reverse().map((id) => viewOfRollout(state, project, id));
  }

  override async rollout(project: string, id: string): Promise<RolloutView> {
    return viewOfRollout(await this.stateOf(project), project, id);
  }

  override async tokens(): Promise<readonly TokenView[]> {
    const { state } = await this.store.project(SYSTEM_PROJECT);
    return [...state.tokens.values()].map(viewToken);
  }

  private async stateOf(project: string): Promise<ProjectState> {
    const { state } = await this.store.project(project);
    if (state.project.status === 'absent') {
      throw new CommandRefused('project-unknown', `there is no project "${project}"`);
    }
    return state;
  }
}

const viewOfProject = (state: ProjectState, slug: string): ProjectView => {
  const view = viewProject(state.project);
  if (!view) throw new CommandRefused('project-unknown', `there is no project "${slug}"`);
  return view;
};

const viewOfRollout = (state: ProjectState, project: string, id: string): RolloutView => {
  const rollout = state.rollouts.get(id);
  if (!rollout) throw new CommandRefused('not-found', `project "${project}" has no rollout ${id}`);
  return viewRollout(project, rollout, state.flags.get(rollout.flagId)?.key ?? rollout.flagId);
};
