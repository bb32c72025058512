import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createCluster } from './postgres/create-cluster.js';
import { findPostgres, type PostgresProgram } from './postgres/find-postgres.js';
import { openPostgresHome } from './postgres/postgres-home.js';
import { copyFor, findUnprivileged, type Unprivileged } from './postgres/unprivileged.js';
import { privateFolder } from './process/private-files.js';
import { type EmbeddedPostgres, startPostgres } from './start-postgres.js';

/**
 * An empty database on a server of its own, for one test file: nothing is shared with other files or left behind after
 * `stop()`. The cluster is a copy of a template that initdb makes once per machine, so it takes a fraction of a second.
 * It does not sync to disk: use startPostgres to test what survives a crash of the machine.
 */
export async function createTestDatabase(): Promise<EmbeddedPostgres> {
  const program = await findPostgres();
  const as = await findUnprivileged();
  const template = await clusterTemplate(program, as);
  const dataDir = mkdtempSync(join(tmpdir(), 'hg-pg-'));
  try {
    copyFor(as, join(template, 'cluster'), join(dataDir, 'cluster'));
    copyFileSync(join(template, 'credentials.json'), join(dataDir, 'credentials.json'));
    const server = await startPostgres({ dataDir, durable: false, env: {} });
    return Object.assign(Object.create(server) as EmbeddedPostgres, {
      stop: async () => {
        await server.stop();
        rmSync(dataDir, { recursive: true, force: true });
      },
    });
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
}

/** Made beside its place and renamed into it: of several test processes that begin at once, one is used. */
async function clusterTemplate(program: PostgresProgram, as: Unprivileged): Promise<string> {
  const key = createHash('sha256')
    .update(`${program.bin} ${program.version} ${FORMAT}`)
    .digest('hex')
    .slice(0, 12);
  const place = join(tmpdir(), `headgate-test-postgres-${userInfo().uid}`);
  mkdirSync(place, { recursive: true, mode: 0o700 });
  privateFolder(place);
  as.own(place);
  const template = join(place, key);
  if (existsSync(template)) return template;
  const incoming = mkdtempSync(join(place, 'incoming-'));
  await createCluster(program, as, openPostgresHome(incoming, as), false);
  try {
    renameSync(incoming, template);
  } catch (error) {
    rmSync(incoming, { recursive: true, force: true });
    if (!existsSync(template)) throw error;
  }
  return template;
}

/** Raise it when what createCluster makes changes. */
const FORMAT = 1;
