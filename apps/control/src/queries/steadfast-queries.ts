import type {
  ChannelView,
  FlagView,
  ProjectView,
  RolloutView,
  SegmentView,
  TokenView,
} from '@headgate/contracts';
import type { Log } from '@headgate/service-kit';
import { Queries } from './queries.js';

/**
 * Reads from Postgres, and from the fold while Postgres is away or behind: who throws a kill switch in an outage has to find the
 * flag first. Both give the same views of the same log.
 */
export class SteadfastQueries extends Queries {
  constructor(
    private readonly readModel: Queries,
    private readonly fold: Queries,
    private readonly log: Log,
  ) {
    super();
  }

  override projects(): Promise<readonly ProjectView[]> {
    return this.either((queries) => queries.projects());
  }
  override project(slug: string): Promise<ProjectView> {
    return this.either((queries) => queries.project(slug));
  }
  override channels(project: string): Promise<readonly ChannelView[]> {
    return this.either((queries) => queries.channels(project));
  }
  override channel(project: string, slug: string): Promise<ChannelView> {
    return this.either((queries) => queries.channel(project, slug));
  }
  override flags(project: string, channel: string): Promise<readonly FlagView[]> {
    return this.either((queries) => queries.flags(project, channel));
  }
  override flag(project: string, channel: string, key: string): Promise<FlagView> {
    return this.either((queries) => queries.flag(project, channel, key));
  }
  override segments(project: string, channel: string): Promise<readonly SegmentView[]> {
    return this.either((queries) => queries.segments(project, channel));
  }
  override segment(project: string, channel: string, name: string): Promise<SegmentView> {
    return this.either((queries) => queries.segment(project, channel, name));
  }
  override rollouts(project: string): Promise<readonly RolloutView[]> {
    return this.either((queries) => queries.rollouts(project));
  }
  override rollout(project: string, id: string): Promise<RolloutView> {
    return this.either((queries) => queries.rollout(project, id));
  }
  override tokens(): Promise<readonly TokenView[]> {
    return this.either((queries) => queries.tokens());
  }

  private async either<T>(ask: (queries: Queries) => Promise<T>): Promise<T> {
    try {
      return await ask(this.readModel);
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== 'read-model-behind') throw cause;
      this.log.warn('read from the fold instead of Postgres', { reason: (cause as Error).message });
      return ask(this.fold);
    }
  }
}
