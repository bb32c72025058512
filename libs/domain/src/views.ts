import type {
  ChannelView,
  FlagView,
  JsonValue,
  ProjectView,
  RolloutView,
  SegmentView,
  TokenView,
} from '@headgate/contracts';
import type { Channel } from './channel/channel.js';
import type { Flag } from './flag/flag.js';
import type { Project } from './project/project.js';
import { isRunning, type Rollout } from './rollout/rollout.js';
import type { Segment } from './segment/segment.js';
import type { Token } from './token/token.js';

/** Shapes of the HTTP API's answers, from an aggregate's state: what the read model stores and what a fold would say. */
export const viewProject = (project: Project): ProjectView | null =>
  project.status === 'absent'
    ? null
    : { id: project.id, slug: project.slug, name: project.name, createdAt: project.createdAt };

export const viewChannel = (project: string, channel: Channel): ChannelView => ({
  id: channel.id,
  project,
  slug: channel.slug,
  beatLifetimeMs: channel.beatLifetimeMs,
  attributes: channel.attributes ? [...channel.attributes] : null,
  createdAt: channel.createdAt,
});

export const viewFlag = (project: string, flag: Flag): FlagView => ({
  id: flag.id,
  project,
  channel: flag.channel,
  key: flag.key,
  status: flag.status,
  definition: flag.definition as unknown as JsonValue,
  why: flag.why,
  killedAt: flag.status === 'killed' ? flag.killed.at : null,
  rolloutId: flag.split?.rolloutId ?? null,
  position: flag.position,
  changedAt: flag.changedAt,
  createdAt: flag.createdAt,
});

export const viewSegment = (project: string, segment: Segment): SegmentView => ({
  id: segment.id,
  project,
  channel: segment.channel,
  name: segment.name,
  status: segment.status,
  definition: segment.definition as unknown as JsonValue,
  why: segment.why,
  position: segment.position,
  createdAt: segment.createdAt,
  changedAt: segment.changedAt,
});

export const viewRollout = (project: string, rollout: Rollout, flagKey: string): RolloutView => ({
  id: rollout.id,
  project,
  channel: rollout.channel,
  flagId: rollout.flagId,
  flagKey,
  variant: rollout.variant,
  status: rollout.status,
  step: rollout.status === 'pre-period' || rollout.status === 'planned' ? null : rollout.step,
  weightPpm: rollout.status === 'pre-period' || rollout.status === 'planned' ? 0 : rollout.weightPpm,
  ladderPpm: rollout.planned ? rollout.planned.ladderPpm : null,
  policy: rollout.policy as unknown as JsonValue,
  metrics: rollout.metrics as unknown as JsonValue[],
  plan: rollout.planned ? rollout.planned.plan : null,
  requestedAt: rollout.requestedAt,
  endedAt: isRunning(rollout) ? null : rollout.endedAt,
  endReason: isRunning(rollout) ? null : rollout.endReason,
  steps: [...rollout.steps],
  verdicts: rollout.verdicts.map(
    ({
      id,
      step,
      at,
      decision,
      code,
      reasons,
      evidence,
      threshold,
      metrics,
      instances,
      onInstanceHours,
      signals,
    }) => ({
      id,
      step,
      at,
      decision,
      code,
      reasons,
      evidence,
      threshold,
      metrics,
      instances,
      onInstanceHours,
      ...(signals && { signals }),
    }),
  ),
  signals: rollout.signals.map(({ id, signal, source, at, weightPpm, why }) => ({
    id,
    signal,
    source,
    at,
    weightPpm,
    why,
  })),
  why: rollout.why,
});

/** Never shows the hash of the secret. */
export const viewToken = (token: Token): TokenView => ({
  id: token.id,
  name: token.name,
  role: token.role,
  project: token.project ?? null,
  createdAt: token.createdAt,
  expiresAt: token.expiresAt ?? null,
  revokedAt: token.status === 'revoked' ? token.revokedAt : null,
});
