import type {
  ChannelView,
  FlagView,
  ProjectView,
  RolloutView,
  SegmentView,
  TokenView,
} from '@headgate/contracts';

/** Reads of the API. Every method throws a refusal (`project-unknown` …) when what contains the answer does not exist. */
export abstract class Queries {
  abstract projects(): Promise<readonly ProjectView[]>;
  abstract project(slug: string): Promise<ProjectView>;
  abstract channels(project: string): Promise<readonly ChannelView[]>;
  abstract channel(project: string, slug: string): Promise<ChannelView>;
  abstract flags(project: string, channel: string): Promise<readonly FlagView[]>;
  abstract flag(project: string, channel: string, key: string): Promise<FlagView>;
  /** In order of their names, removed ones left out, each with the flags that use it. */
  abstract segments(project: string, channel: string): Promise<readonly SegmentView[]>;
  abstract segment(project: string, channel: string, name: string): Promise<SegmentView>;
  /** Newest first. */
  abstract rollouts(project: string): Promise<readonly RolloutView[]>;
  abstract rollout(project: string, id: string): Promise<RolloutView>;
  abstract tokens(): Promise<readonly TokenView[]>;
}
