import type { LogPosition } from '@headgate/contracts';
import { applyEvent, emptyProject, type ProjectState } from '@headgate/domain';
import type { StoredEvent } from '@headgate/event-store';
import { type ArchivedEvent, type Checkpoint, touchedBy, type ViewRow, viewRow } from '@headgate/read-model';
import { writtenText } from './written-event.js';

/** Every project's fold, at the place the projection has reached. */
export type Folds = Map<string, ProjectState>;

export const foldOf = (folds: Folds, project: string): ProjectState => {
  const found = folds.get(project);
  if (found) return found;
  const fold = emptyProject();
  folds.set(project, fold);
  return fold;
};

/** Folds the events in and says what to write: each event's bytes, and the rows of every aggregate they touched, once. */
export const foldBatch = (
  folds: Folds,
  taken: readonly StoredEvent[],
  from: Checkpoint,
): {
  readonly events: readonly ArchivedEvent[];
  readonly rows: readonly ViewRow[];
  readonly heads: Readonly<Record<string, LogPosition>>;
} => {
  const touched = new Map<string, { project: string; table: ViewRow['table']; id: string }>();
  const heads: Record<string, LogPosition> = { ...from.heads };
  const events = taken.map((stored) => {
    const { project, epoch, position, hash } = stored.event;
    const fold = foldOf(folds, project);
    applyEvent(fold, stored.event);
    heads[project] = { epoch, position, hash };
    for (const [table, id] of touchedBy(fold, stored.event))
      touched.set(`${project} ${table} ${id}`, { project, table, id });
    return archived(stored);
  });
  const rows = [...touched.values()].map(({ project, table, id }) =>
    viewRow(project, foldOf(folds, project), table, id),
  );
  return { events, rows: rows.filter((row) => row !== null), heads };
};

const archived = ({ event, streamSequence, written }: StoredEvent): ArchivedEvent => ({
  project: event.project,
  epoch: event.epoch,
  position: event.position,
  hash: event.hash,
  streamSequence,
  id: event.id,
  type: event.type,
  kind: event.kind,
  aggregateId: event.aggregateId,
  at: event.at,
  prevHash: event.prevHash,
  text: writtenText(written),
});
