import { type EventEnvelope, logSubject, projectLogFilter, STREAMS } from '@headgate/contracts';
import { archivedProjects, archiveHead, type Database, readArchive } from '@headgate/read-model';
import type { Streams } from '@headgate/streams';
import { checkEvent } from '@headgate/trust';
import { parseWritten } from './written-event.js';

export interface LogRestored {
  /** Events written back to the log. */
  readonly events: number;
  /** Where each project's log ended before, and ends now. */
  readonly projects: readonly { readonly project: string; readonly from: number; readonly to: number }[];
}

/** The log and the archive tell two stories; joining them would forge a third. Nothing was written for that project. */
export class RestoreRefused extends Error {
  override readonly name = 'RestoreRefused';
}

/**
 * Brings back what the log lost and the archive holds: the same bytes, in the same order, each checked against the chain before
 * it is written and each written only behind the one before it. Safe to repeat; leaves a log that is whole alone.
 */
export const restoreLog = async (
  streams: Pick<Streams, 'last' | 'publish'>,
  db: Database,
): Promise<LogRestored> => {
  const projects: { project: string; from: number; to: number }[] = [];
  for (const project of await archivedProjects(db)) {
    const restored = await restoreProject(streams, db, project);
    if (restored) projects.push({ project, ...restored });
  }
  return { events: projects.reduce((sum, { from, to }) => sum + to - from, 0), projects };
};

const restoreProject = async (streams: Pick<Streams, 'last' | 'publish'>, db: Database, project: string) => {
  const filter = projectLogFilter(project);
  const last = await streams.last(STREAMS.log, filter);
  let head = last
    ? parse(Buffer.from(last.data).toString('utf8'), `log, stream sequence ${last.sequence}`)
    : null;
  const archived = await archiveHead(db, project);
  const from = head?.position ?? 0;
  if (!archived || archived.position < from) return null;
  let sequence = last?.sequence ?? 0;
  for await (const { position, text } of readArchive(db, project, Math.max(1, from))) {
    const place = `project "${project}", position ${position}`;
    const event = parse(text, `archive, ${place}`);
    if (head && position === head.position) {
      if (event.hash !== head.hash)
        throw new RestoreRefused(
          `${place}: the log holds ${head.hash.slice(0, 12)}…, the archive ${event.hash.slice(0, 12)}…; run \`headgate log verify\``,
        );
      continue;
    }
    const wrong = checkEvent(event, head);
    if (wrong) throw new RestoreRefused(`archive, ${place}: ${wrong}; restore Postgres from a backup first`);
    const ack = await streams.publish(logSubject(project, event.kind, event.aggregateId), Buffer.from(text), {
      expectStream: STREAMS.log,
      expectFilter: filter,
      expectLastSequence: sequence,
    });
    sequence = ack.sequence;
    head = event;
  }
  return archived.position > from ? { from, to: archived.position } : null;
};

const parse = (text: string, place: string): EventEnvelope => {
  try {
    return parseWritten(text);
  } catch (cause) {
    throw new RestoreRefused(`${place}: not an event`, { cause });
  }
};
