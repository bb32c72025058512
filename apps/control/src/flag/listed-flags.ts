import type { FlagDefinition, FlagFilter, FlagView } from '@headgate/contracts';
import { flagHealth } from '@headgate/domain';
import type { ChannelUsage } from '../usage/usage-queries.js';

/** A flag as people see it: with what can be said of its life now. */
export const withHealth = (view: FlagView, usage: ChannelUsage, now: number): FlagView => {
  const { status, changedAt, createdAt = changedAt, rolloutId } = view;
  const subject = { status, changedAt, createdAt, rolloutId, definition: definitionOf(view) };
  return { ...view, health: flagHealth(subject, usage?.of(view.key, createdAt) ?? null, now) };
};

export const matches = (view: FlagView, { type, tag, owner, status, stale }: FlagFilter): boolean => {
  const definition = definitionOf(view);
  const isStale = view.health?.stage === 'stale' || view.health?.stage === 'potentially-stale';
  return (
    (type === undefined || definition.type === type) &&
    (tag === undefined || (definition.tags ?? []).includes(tag)) &&
    (owner === undefined || definition.owner === owner) &&
    (status === undefined || view.status === status) &&
    (stale === undefined || isStale === (stale === 'true'))
  );
};

/** A view carries the definition that the log took. */
const definitionOf = ({ definition }: FlagView): FlagDefinition => definition as unknown as FlagDefinition;
