import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCluster, resetPasswords } from './postgres/create-cluster.js';
import { findPostgres, type PostgresProgram } from './postgres/find-postgres.js';
import { clusterMajor, databaseUrl, openPostgresHome, type PostgresHome } from './postgres/postgres-home.js';
import { type PostgresRunOptions, runPostgres } from './postgres/postgres-run.js';
import { findUnprivileged } from './postgres/unprivileged.js';
import { type DataLock, lockData } from './process/data-lock.js';
import { privateFolder } from './process/private-files.js';
import type { Exit, Supervised } from './process/supervise.js';

export interface StartPostgresOptions {
  /** The server's own folder, made 0700: `.headgate/postgres`. */
  readonly dataDir: string;
  /** Off only for tests: what is committed is on disk before the answer. */
  readonly durable?: boolean;
  /** How long recovery after a crash may take; 120 s by default. */
  readonly readyTimeoutMs?: number;
  /** Told when the server ends without having been asked to. */
  readonly onExit?: (exit: Exit) => void;
  readonly env?: NodeJS.ProcessEnv;
  readonly now?: () => number;
  readonly random?: (bytes: number) => Buffer;
}

export interface EmbeddedPostgres {
  /** Database `headgate` as the role that owns it; for an embedded server over its unix socket. */
  readonly url: string;
  /** Process id of the running server, changing with every restart; null for a server that is not ours. */
  readonly pid: number | null;
  readonly version: string | null;
  readonly logFile: string | null;
  readonly isRunning: () => boolean;
  readonly restart: () => Promise<void>;
  /** Ends the server cleanly and gives the data directory free. Safe to repeat; leaves a foreign server alone. */
  readonly stop: () => Promise<void>;
}

/**
 * The Postgres of an installation: $DATABASE_URL when set, else one of our own on a data directory, reached over a socket
 * in a 0700 folder with a generated password. Throws DataDirectoryInUse when the directory is already served, and an Error
 * that says what is wrong and what to do when the data cannot be used. The server ends with this process.
 */
export async function startPostgres(options: StartPostgresOptions): Promise<EmbeddedPostgres> {
  const { now = Date.now, env = process.env, random = randomBytes, durable = true } = options;
  if (env.DATABASE_URL) return foreignServer(env.DATABASE_URL);
  const program = await findPostgres();
  privateFolder(options.dataDir);
  const lock = await lockData({
    path: join(options.dataDir, 'postgres.lock'),
    what: `Postgres data in ${options.dataDir}`,
    now,
    patienceMs: 60_000,
  });
  try {
    const as = await findUnprivileged();
    const home = openPostgresHome(options.dataDir, as, random);
    const major = clusterMajor(home);
    if (major === null) await createCluster(program, as, home, durable);
    else assertSameMajor(major, program, home);
    if (major !== null && home.hasNewPasswords) await resetPasswords(program, as, home);
    const server = new Server(
      { program, as, home, durable, now, readyTimeoutMs: options.readyTimeoutMs ?? 120_000 },
      lock,
      options.onExit,
    );
    await server.start();
    return server;
  } catch (error) {
    lock.release();
    throw error;
  }
}

function assertSameMajor(major: number, program: PostgresProgram, home: PostgresHome): void {
  if (major === program.major) return;
  throw new Error(
    `${home.cluster} was made by Postgres ${major}, but ${program.bin} is ${program.version}. Use Postgres ${major} (DATABASE_URL), or move the folder away and start again with an empty database, which \`headgate projection rebuild\` fills from the log.`,
  );
}

function foreignServer(url: string): EmbeddedPostgres {
  return {
    url,
    pid: null,
    version: null,
    logFile: null,
    isRunning: () => true,
    restart: async () => {
      throw new Error('the Postgres of DATABASE_URL is not ours to restart');
    },
    stop: async () => {},
  };
}

class Server implements EmbeddedPostgres {
  private run: Supervised | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: PostgresRunOptions,
    private readonly lock: DataLock,
    private readonly onExit: ((exit: Exit) => void) | undefined,
  ) {}

  get url(): string {
    return databaseUrl(this.options.home);
  }
  get pid(): number | null {
    return this.run?.pid ?? null;
  }
  get version(): string {
    return this.options.program.version;
  }
  get logFile(): string {
    return this.options.home.output;
  }

  readonly isRunning = (): boolean => this.run?.isRunning() ?? false;

  readonly restart = (): Promise<void> => this.inTurn(() => this.start());

  readonly stop = (): Promise<void> =>
    this.inTurn(async () => {
      await this.end();
      const { sockets, dataDir } = this.options.home;
      if (!sockets.startsWith(dataDir)) rmSync(sockets, { recursive: true, force: true });
      this.lock.release();
    });

  async start(): Promise<void> {
    await this.end();
    const run = await runPostgres(this.options);
    this.run = run;
    this.lock.note({ url: `the socket in ${this.options.home.sockets}`, serverPid: run.pid });
    void run.exited.then((exit) => {
      if (this.run === run) this.onExit?.(exit);
    });
  }

  private async end(): Promise<void> {
    const run = this.run;
    this.run = undefined;
    await run?.stop();
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work, work);
    this.turn = result.catch(() => {});
    return result;
  }
}
