import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generatedSecrets } from '../process/generated-secrets.js';
import { privateFolder } from '../process/private-files.js';
import type { Unprivileged } from './unprivileged.js';

export const ADMIN = 'headgate_admin';
export const OWNER = 'headgate';
export const DATABASE = 'headgate';
/** Part of the socket's file name only: no TCP port is opened. */
const SOCKET_PORT = 5432;

/** Where everything of an embedded Postgres lies, below its data directory. */
export interface PostgresHome {
  readonly dataDir: string;
  readonly cluster: string;
  readonly output: string;
  readonly sockets: string;
  /** Of the roles `headgate_admin` (superuser, for repairs) and `headgate` (owns the database, what services use). */
  readonly passwords: Readonly<Record<typeof ADMIN | typeof OWNER, string>>;
  /** Made just now: whatever the cluster knows, it does not know these. */
  readonly hasNewPasswords: boolean;
}

export function openPostgresHome(
  dataDir: string,
  as: Unprivileged,
  random?: (bytes: number) => Buffer,
): PostgresHome {
  const credentials = join(dataDir, 'credentials.json');
  const hasNewPasswords = !existsSync(credentials);
  const sockets = socketFolder(dataDir);
  as.own(dataDir);
  as.own(sockets);
  return {
    dataDir,
    cluster: join(dataDir, 'cluster'),
    output: join(dataDir, 'postgres.log'),
    sockets,
    passwords: generatedSecrets(credentials, [ADMIN, OWNER], random),
    hasNewPasswords,
  };
}

/** As libpq, psql and the npm package pg read it: a host that begins with "/" is the folder of the socket. */
export function databaseUrl({ sockets, passwords }: PostgresHome): string {
  return `postgresql://${OWNER}:${passwords[OWNER]}@localhost:${SOCKET_PORT}/${DATABASE}?host=${encodeURIComponent(sockets)}`;
}

/** The kernel takes 107 bytes of path for a socket (103 on macOS); deeper data directories get one below the temp folder. */
const LONGEST_SOCKET_PATH = 103;

function socketFolder(dataDir: string): string {
  const own = join(dataDir, 'run');
  const fits = (folder: string) =>
    Buffer.byteLength(join(folder, `.s.PGSQL.${SOCKET_PORT}.lock`)) <= LONGEST_SOCKET_PATH;
  if (fits(own)) {
    privateFolder(own);
    return own;
  }
  const name = `headgate-pg-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`;
  const short = join(tmpdir(), name);
  if (!fits(short))
    throw new Error(`the path of the temp folder ${tmpdir()} is too long for a socket: set TMPDIR`);
  makeOwnFolder(short);
  return short;
}

/** The name can be foreseen, and anybody may write to the temp folder: refuse what somebody else put there. */
function makeOwnFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(path);
  const isOurs = lstatSync(path).isDirectory() && (uid === process.getuid?.() || uid === 65_534);
  if (!isOurs || (mode & 0o077) !== 0) {
    throw new Error(`${path} exists and does not belong to this user alone; remove it, or set TMPDIR`);
  }
}

/** `null` when there is no cluster yet; throws when there is something that Postgres of this version cannot use. */
export function clusterMajor({ cluster }: PostgresHome): number | null {
  if (!existsSync(cluster)) return null;
  const file = join(cluster, 'PG_VERSION');
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  const major = Number.parseInt(text, 10);
  if (!Number.isInteger(major)) {
    throw new Error(
      `${cluster} is damaged: ${file} ${text === '' ? 'is missing or empty' : 'holds no version'}. ${repairAdvice(cluster)}`,
    );
  }
  return major;
}

export const repairAdvice = (cluster: string): string =>
  `Restore ${cluster} from a backup, or move it away and start again with an empty database, which \`headgate projection rebuild\` fills from the log.`;
