import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type EmbeddedNats,
  type EmbeddedPostgres,
  type NatsRole,
  startNats,
  startPostgres,
} from '@headgate/embedded';
import { type EventStore, openEventStore } from '@headgate/event-store';
import { TrustKeeper } from '@headgate/publisher';
import { type Database, migrate, openDatabase } from '@headgate/read-model';
import { secretHash, uuidV7Source } from '@headgate/service-kit';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';

export const VICTIMS = [
  'control',
  'projector',
  'publisher',
  'gateway',
  'rollouts',
  'nats-server',
  'postgres',
] as const;
export type Victim = (typeof VICTIMS)[number];
const SERVICES = [
  'control',
  'projector',
  'publisher',
  'gateway',
  'rollouts',
] as const satisfies readonly Victim[];
type ServiceName = (typeof SERVICES)[number];

/** An installation with every service in a process of its own, so that each can be killed alone. */
export interface Services {
  readonly controlUrl: string;
  readonly gatewayUrl: string;
  readonly token: string;
  readonly pin: string;
  /** Of the checker, which is never killed; with the rights of analysis. */
  readonly store: EventStore;
  readonly streams: Streams;
  readonly db: Database;
  /** SIGKILL, then start again; resolves when it runs again. */
  kill(victim: Victim): Promise<void>;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 40_000;

export const startServices = async (): Promise<Services> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hg-chaos-'));
  const nats = await startNats({ dataDir: join(dataDir, 'nats') });
  const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres'), env: {} });
  const admin = await connectAs(nats, 'admin');
  await declareInstallation(admin, { now: Date.now() });
  await admin.close();
  const { pin } = new TrustKeeper({ folder: join(dataDir, 'keys'), now: Date.now });
  const streams = await connectAs(nats, 'analysis');
  const newId = uuidV7Source(Date.now);
  const store = await openEventStore({
    streams,
    clock: Date.now,
    newId,
    newSalt: () => randomBytes(16).toString('hex'),
  });
  const db = openDatabase(postgres.url);
  await migrate(db);
  const token = await createToken(store, newId);
  const ports = { control: await freePort(), gateway: await freePort() };
  const start = (name: ServiceName): Promise<ChildProcess> =>
    startService(name, {
      ...environmentOf(nats, name, dataDir),
      DATABASE_URL: postgres.url,
      HEADGATE_GATEWAY_SOURCES: JSON.stringify([{ root: 'own', stream: 'FLAGS', pin }]),
      HEADGATE_BEAT_EVERY_MS: '500',
      ...(name === 'control' || name === 'gateway' ? { HEADGATE_HTTP_PORT: String(ports[name]) } : {}),
    });
  const running = new Map<ServiceName, ChildProcess>();
  for (const name of SERVICES) running.set(name, await start(name));
  return {
    controlUrl: `http://127.0.0.1:${ports.control}`,
    gatewayUrl: `http://127.0.0.1:${ports.gateway}`,
    token,
    pin,
    store,
    streams,
    db,
    kill: async (victim) => {
      if (victim === 'nats-server' || victim === 'postgres')
        return killServer(victim === 'postgres' ? postgres : nats);
      await killChild(running.get(victim));
      running.set(victim, await start(victim));
    },
    stop: async () => {
      await Promise.all([...running.values()].map(killChild));
      await store.close();
      await db.destroy();
      await streams.close();
      await Promise.all([nats.stop(), postgres.stop()]);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};

const connectAs = (nats: EmbeddedNats, role: NatsRole): Promise<Streams> => {
  const { servers: url, user, pass: password, inboxPrefix } = nats.credentials(role);
  return connectStreams({ url, user, password, inboxPrefix, name: `chaos-${role}` });
};

const environmentOf = (nats: EmbeddedNats, role: NatsRole, dataDir: string): NodeJS.ProcessEnv => {
  const { servers, user, pass } = nats.credentials(role);
  return {
    PATH: process.env.PATH,
    HEADGATE_RUN: process.env.HEADGATE_RUN,
    HEADGATE_NATS_URL: servers,
    HEADGATE_NATS_USER: user,
    HEADGATE_NATS_PASSWORD: pass,
    HEADGATE_DATA_DIR: dataDir,
  };
};

const createToken = async (store: EventStore, newId: () => string): Promise<string> => {
  const secret = `hg_${randomBytes(32).toString('base64url')}`;
  await store.handle(
    {
      type: 'create-token',
      project: '_system',
      tokenId: newId(),
      name: 'chaos',
      role: 'admin',
      secretHash: secretHash(secret),
      why: 'chaos',
    },
    { commandId: newId(), actor: 'chaos' },
  );
  return secret;
};

/** Started again and again while the server it needs may be away itself: a service that gives up is started once more. */
const startService = async (name: ServiceName, env: NodeJS.ProcessEnv): Promise<ChildProcess> => {
  const main = fileURLToPath(new URL(`../../apps/${name}/dist/main.js`, import.meta.url));
  const deadline = Date.now() + START_TIMEOUT_MS;
  let log = '';
  while (Date.now() < deadline) {
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const isReady = await new Promise<boolean>((resolve) => {
      child.stdout.on('data', (part: Buffer) => part.includes('"ready"') && resolve(true));
      child.stderr.on('data', (part: Buffer) => {
        log = (log + part.toString()).slice(-8_000);
      });
      child.once('exit', () => resolve(false));
    });
    if (isReady) return child;
  }
  throw new Error(`${name} did not start:\n${log}`);
};

const killChild = (child: ChildProcess | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });

const killServer = async (server: EmbeddedNats | EmbeddedPostgres): Promise<void> => {
  const { pid } = server;
  if (pid === null) throw new Error('not a server of ours');
  process.kill(pid, 'SIGKILL');
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (server.isRunning() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  await server.restart();
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
