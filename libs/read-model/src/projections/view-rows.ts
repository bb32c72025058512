import type { LogEvent } from '@headgate/contracts';
import {
  flagsMovedBy,
  type ProjectState,
  viewChannel,
  viewFlag,
  viewProject,
  viewRollout,
  viewSegment,
  viewToken,
} from '@headgate/domain';
import type { ViewTable } from '../database.js';
import type { ViewTableName } from '../migrations/migrations.js';

export type ViewRow = Omit<ViewTable, 'view'> & { readonly table: ViewTableName; readonly view: object };

/**
 * Tables and ids whose rows an event changes, as `table id`, once it is folded in. A rollout's event moves its flag too, and
 * what happens to a flag or a segment moves the flags that need it.
 */
export const touchedBy = (
  state: ProjectState,
  event: LogEvent,
): readonly (readonly [ViewTableName, string])[] => {
  switch (event.kind) {
    case 'project':
    case 'channel':
    case 'token':
      return [[event.kind, event.aggregateId]];
    case 'flag':
      return movedFlags(state, event);
    case 'segment':
      return [['segment', event.aggregateId], ...movedFlags(state, event)];
    case 'rollout':
      return state.rollouts.has(event.aggregateId)
        ? [['rollout', event.aggregateId], ...movedFlags(state, event)]
        : [];
  }
};

const movedFlags = (state: ProjectState, event: LogEvent): readonly (readonly ['flag', string])[] =>
  flagsMovedBy(state, event).map(({ id }) => ['flag', id]);

/** The row of one aggregate as the fold has it now; `null` when the fold knows no such aggregate. */
export const viewRow = (
  project: string,
  state: ProjectState,
  table: ViewTableName,
  id: string,
): ViewRow | null => {
  switch (table) {
    case 'project': {
      const view = viewProject(state.project);
      return view && { table, project, id, name: view.slug, created_at: view.createdAt, view };
    }
    case 'channel': {
      const channel = [...state.channels.values()].find((one) => one.id === id);
      return channel
        ? {
            table,
            project,
            id,
            name: channel.slug,
            created_at: channel.createdAt,
            view: viewChannel(project, channel),
          }
        : null;
    }
    case 'flag': {
      const flag = state.flags.get(id);
      return flag
        ? {
            table,
            project,
            id,
            name: `${flag.channel}/${flag.key}`,
            created_at: flag.createdAt,
            view: viewFlag(project, flag),
          }
        : null;
    }
    case 'segment': {
      const segment = state.segments.get(id);
      if (!segment) return null;
      const name = `${segment.channel}/${segment.name}`;
      const view = viewSegment(project, segment);
      return { table, project, id, name, created_at: segment.createdAt, view };
    }
    case 'rollout': {
      const rollout = state.rollouts.get(id);
      if (!rollout) return null;
      const flagKey = state.flags.get(rollout.flagId)?.key ?? rollout.flagId;
      const view = viewRollout(project, rollout, flagKey);
      return { table, project, id, name: flagKey, created_at: rollout.requestedAt, view };
    }
    case 'token': {
      const token = state.tokens.get(id);
      return token
        ? { table, project, id, name: token.name, created_at: token.createdAt, view: viewToken(token) }
        : null;
    }
  }
};

/** Every row of a fold, in the order of its maps: what a rebuilt projection must hold. */
export const allRows = (project: string, state: ProjectState): readonly ViewRow[] => {
  const rows: (ViewRow | null)[] = [];
  if (state.project.status === 'active') rows.push(viewRow(project, state, 'project', state.project.id));
  // By slug in the fold; a row has the id, which another writer may have used twice.
  for (const id of new Set([...state.channels.values()].map((channel) => channel.id)))
    rows.push(viewRow(project, state, 'channel', id));
  for (const id of state.flags.keys()) rows.push(viewRow(project, state, 'flag', id));
  for (const id of state.segments.keys()) rows.push(viewRow(project, state, 'segment', id));
  for (const id of state.rollouts.keys()) rows.push(viewRow(project, state, 'rollout', id));
  for (const id of state.tokens.keys()) rows.push(viewRow(project, state, 'token', id));
  return rows.filter((row) => row !== null);
};
