import type { LogPosition } from '@headgate/contracts';
import type { Database } from '../database.js';

/** Newest archived event of a project; `null` when there is none. */
export const archiveHead = async (db: Database, project: string): Promise<LogPosition | null> => {
  const row = await db
    .selectFrom('archive')
    .select(['epoch', 'position', 'hash'])
    .where('project', '=', project)
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
};

export const archivedProjects = async (db: Database): Promise<readonly string[]> =>
  (await db.selectFrom('archive').select('project').distinct().orderBy('project').execute()).map(
    (row) => row.project,
  );

const PAGE = 5_000;

/** The exact texts of a project's events from a position on, in order, a page at a time. */
export async function* readArchive(
  db: Database,
  project: string,
  from = 1,
): AsyncIterable<{ readonly position: number; readonly text: string }> {
  for (let next = from; ; ) {
    const page = await db
      .selectFrom('archive')
      .select(['position', 'event'])
      .where('project', '=', project)
      .where('position', '>=', next)
      .orderBy('position')
      .limit(PAGE)
      .execute();
    for (const { position, event } of page) yield { position, text: event };
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    next = last.position + 1;
  }
}
