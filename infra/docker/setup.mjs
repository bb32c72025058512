// The `setup` service of docker-compose.yml: what one process does by itself in `npm start` before its services open. Runs at
// every start and changes only what is missing: streams, tables, keys, the gateway's sources, the first admin token.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flagsHeadReader, openEventStore } from '@headgate/event-store';
import { TrustKeeper } from '@headgate/publisher';
import { archiveHead, migrate, openDatabase } from '@headgate/read-model';
import { processLog, uuidV7Source } from '@headgate/service-kit';
import { firstAdmin } from '@headgate/standalone';
import { connectStreams, declareInstallation } from '@headgate/streams';

/** @param {string} name */
const setting = (name) => {
  const value =
    process.env[name] ??
    (process.env[`${name}_FILE`] && readFileSync(process.env[`${name}_FILE`] ?? '', 'utf8').trim());
  if (!value) throw new Error(`setup: set ${name}, or ${name}_FILE to a file that holds it`);
  return value;
};

const url = setting('HEADGATE_NATS_URL');
const folder = setting('HEADGATE_SETUP_DIR');

/** @param {'admin' | 'control'} user */
const connectAs = (user) =>
  connectStreams({
    url,
    user,
    password: setting(`HEADGATE_NATS_${user.toUpperCase()}`),
    inboxPrefix: `_INBOX.${user}`,
    name: `headgate-setup-${user}`,
  });

const admin = await connectAs('admin');
await declareInstallation(admin, { now: Date.now() });
await admin.close();

const database = openDatabase(setting('DATABASE_URL'));
await migrate(database);

// The parent folder is the publisher's own: nobody else is given these keys.
const keys = join(folder, 'publisher', 'keys');
mkdirSync(keys, { recursive: true, mode: 0o700 });
const { pin } = new TrustKeeper({ folder: keys, now: Date.now });
const sources = [{ root: 'own', stream: 'FLAGS', pin }];
writeFileSync(join(folder, 'gateway', 'sources.json'), `${JSON.stringify(sources)}\n`, { mode: 0o600 });

const control = await connectAs('control');
const newId = uuidV7Source(Date.now);
const store = await openEventStore({
  streams: control,
  clock: Date.now,
  newId,
  newSalt: () => randomBytes(16).toString('hex'),
  guards: { archiveHead: (project) => archiveHead(database, project), flagsHead: flagsHeadReader(control) },
});
const first = await firstAdmin({ store, newId, random: randomBytes }, processLog('setup', 'info'));
const tokenFile = join(folder, 'setup', 'admin-token');
if (first) writeFileSync(tokenFile, `${first.secret}\n`, { mode: 0o600 });
await store.close();
await control.close();
await database.destroy();
process.stdout.write(
  `${JSON.stringify({ ready: 'setup', rootPin: pin, adminToken: existsSync(tokenFile) ? 'in data/setup/admin-token' : 'made earlier' })}\n`,
);
