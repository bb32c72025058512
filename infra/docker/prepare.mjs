// `node infra/docker/prepare.mjs`: what docker-compose.yml needs on this machine before its first start. Makes folders and
// secrets of its own under .headgate/compose (0700) and never changes one that is there. Node built-ins only: nothing has to
// be built or installed on the host.
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const NATS_USERS = [
  'admin',
  'control',
  'rollouts',
  'analysis',
  'publisher',
  'projector',
  'gateway',
  'collector',
  'notifier',
  'system',
];
const DATA_FOLDERS = [
  'nats',
  'postgres',
  'control',
  'publisher',
  'gateway',
  'analysis',
  'rollouts',
  'setup',
  'prometheus',
];

/** Postgres refuses to run as root, and nothing else needs to: made by root, everything belongs to this user instead. */
const NOT_ROOT = 10_001;

/**
 * @param {string} folder
 * @param {{ readonly random?: (bytes: number) => Buffer, readonly uid?: number, readonly gid?: number }} [options]
 * @returns {string} path of the environment file for `docker compose --env-file`
 */
export function prepareCompose(folder, options = {}) {
  const {
    random = randomBytes,
    uid = process.getuid?.() ?? NOT_ROOT,
    gid = process.getgid?.() ?? NOT_ROOT,
  } = options;
  const owner = uid === 0 ? { uid: NOT_ROOT, gid: NOT_ROOT } : { uid, gid };
  const own = (/** @type {string} */ path) => {
    if (uid === 0) chownSync(path, owner.uid, owner.gid);
  };
  const makeFolder = (/** @type {string} */ path) => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
    own(path);
  };
  const secrets = join(folder, 'secrets');
  for (const path of [folder, secrets, join(folder, 'data')]) makeFolder(path);
  for (const name of DATA_FOLDERS) makeFolder(join(folder, 'data', name));
  /**
   * @param {string} name
   * @param {() => string} make
   */
  const secret = (name, make) => {
    const path = join(secrets, name);
    if (!existsSync(path)) writeFileSync(path, `${make()}\n`, { mode: 0o600, flag: 'wx' });
    own(path);
    return readFileSync(path, 'utf8').trim();
  };
  const password = () => random(32).toString('base64url');

  const nats = NATS_USERS.map((user) => [user, secret(`nats-${user}`, password)]);
  const variables = nats.map(([user, value]) => `HEADGATE_NATS_${user?.toUpperCase()}: "${value}"`);
  secret('nats-passwords.conf', () => variables.join('\n'));
  secret('postgres-admin', password);
  const databasePassword = secret('postgres-headgate', password);
  secret('database-url', () => `postgresql://headgate:${databasePassword}@postgres:5432/headgate`);
  secret('ingest-token', () => `hg_${password()}`);

  const environment = join(folder, '.env');
  const lines = [`HEADGATE_COMPOSE_DIR=${folder}`, `HEADGATE_UID=${owner.uid}`, `HEADGATE_GID=${owner.gid}`];
  writeFileSync(environment, `${lines.join('\n')}\n`, { mode: 0o600 });
  return environment;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const environment = prepareCompose(
    resolve(process.env.HEADGATE_COMPOSE_DIR ?? join(ROOT, '.headgate', 'compose')),
  );
  process.stdout.write(
    `ready; next:\n  docker compose --env-file ${environment} up --build --detach --wait\n`,
  );
}
