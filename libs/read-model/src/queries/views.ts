import type { Database } from '../database.js';
import type { ViewTableName } from '../migrations/migrations.js';

/** All views of one kind in a project, oldest first. The caller parses them by the view's schema. */
export const listViews = async (
  db: Database,
  table: ViewTableName,
  project: string | null,
): Promise<readonly unknown[]> => {
  const all = db.selectFrom(table).select('view').orderBy('created_at').orderBy('id');
  const rows = await (project === null ? all : all.where('project', '=', project)).execute();
  return rows.map((row) => row.view);
};

export const viewById = async (
  db: Database,
  table: ViewTableName,
  project: string,
  id: string,
): Promise<unknown> => {
  const row = await db
    .selectFrom(table)
    .select('view')
    .where('project', '=', project)
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.view ?? null;
};

/** The newest of that name: a key may come back after its flag was archived. */
export const viewByName = async (
  db: Database,
  table: ViewTableName,
  project: string,
  name: string,
): Promise<unknown> => {
  const row = await db
    .selectFrom(table)
    .select('view')
    .where('project', '=', project)
    .where('name', '=', name)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.view ?? null;
};
