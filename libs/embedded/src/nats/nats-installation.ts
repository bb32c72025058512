import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { renderNatsConfig } from '../nats-config.js';
import type { DataLock } from '../process/data-lock.js';
import { writePrivateFile } from '../process/private-files.js';
import { closeLeaves } from './close-leaves.js';
import type { EmbeddedNats, NatsCredentials, StartNatsOptions, VendorBundle } from './embedded-nats.js';
import type { NatsServerProgram } from './find-nats-server.js';
import {
  type Links,
  type NatsHome,
  type NatsPorts,
  readLinks,
  settlePorts,
  writeLinks,
} from './nats-home.js';
import { type NatsRun, PortTaken, runNatsServer } from './nats-run.js';
import { inboxPrefix, type NatsUser, SYSTEM_USER } from './roles.js';

const HOST = '127.0.0.1';

/** One data directory and the server that runs on it, over restarts and changes of its vendors and upstreams. */
export class NatsInstallation implements EmbeddedNats {
  private links: Links;
  private ports: NatsPorts | undefined;
  private run: NatsRun | undefined;
  /** One change of the server at a time: an enrolment must not meet a restart halfway. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: StartNatsOptions,
    private readonly home: NatsHome,
    private readonly found: NatsServerProgram,
    private readonly lock: DataLock,
    private readonly given: { readonly now: () => number; readonly random: (bytes: number) => Buffer },
  ) {
    this.links = readLinks(home);
  }

  get url(): string {
    return `nats://${HOST}:${this.settledPorts.client}`;
  }
  get leafUrl(): string | null {
    const { leaf } = this.options;
    if (!leaf) return null;
    // an address to listen on everywhere is none to connect to: the operator names the one that vendors see
    const isEverywhere = leaf.host === undefined || ['0.0.0.0', '::', '[::]'].includes(leaf.host);
    return `nats-leaf://${isEverywhere ? HOST : leaf.host}:${this.settledPorts.leaf}`;
  }
  get pid(): number {
    return this.started.pid;
  }
  get version(): string {
    return this.started.version;
  }
  get program(): string {
    return this.found.path;
  }
  get dataDir(): string {
    return this.home.dataDir;
  }
  get logFile(): string {
    return this.home.log;
  }

  readonly urlFor = (user: NatsUser): string =>
    this.url.replace('nats://', `nats://${user}:${this.home.passwords[user]}@`);

  readonly credentials = (user: NatsUser): NatsCredentials => ({
    servers: this.url,
    user,
    pass: this.home.passwords[user],
    inboxPrefix: inboxPrefix(user),
  });

  readonly isRunning = (): boolean => this.run?.isRunning() ?? false;

  readonly enrolVendor = (name: string): Promise<VendorBundle> =>
    this.inTurn(async () => {
      const { leaf } = this.options;
      if (!leaf) throw new Error('this nats-server was started without `leaf`: no vendor can connect to it');
      const known = this.links.vendors.find((vendor) => vendor.name === name);
      const password = known?.password ?? this.given.random(32).toString('base64url');
      if (!known) {
        await this.changeVendors([...this.links.vendors, { name, password }]);
      }
      return { url: this.leafUrl ?? '', rootName: leaf.root, vendor: name, password };
    });

  readonly withdrawVendor = (name: string): Promise<void> =>
    this.inTurn(async () => {
      await this.changeVendors(this.links.vendors.filter((vendor) => vendor.name !== name));
      await closeLeaves({
        host: HOST,
        port: this.settledPorts.client,
        user: SYSTEM_USER,
        password: this.home.passwords[SYSTEM_USER],
      });
    });

  readonly joinUpstream = (bundle: VendorBundle): Promise<void> =>
    this.inTurn(async () => {
      const others = this.links.upstreams.filter(({ rootName }) => rootName !== bundle.rootName);
      const next = { ...this.links, upstreams: [...others, bundle] };
      this.config(next);
      this.links = next;
      writeLinks(this.home, next);
      await this.startAgain();
    });

  readonly restart = (): Promise<void> => this.inTurn(() => this.startAgain());

  readonly stop = (): Promise<void> =>
    this.inTurn(async () => {
      const run = this.run;
      this.run = undefined;
      await run?.stop();
      this.lock.release();
    });

  /** Tries other ports when one was taken between looking and starting, unless the caller insists on its own. */
  async start(): Promise<void> {
    const { port, leaf } = this.options;
    for (let attempt = 1; ; attempt++) {
      this.ports = await settlePorts(this.home, { client: port, leaf: leaf?.port });
      try {
        return await this.startOnPorts();
      } catch (error) {
        const isFixed = port !== undefined && (leaf === undefined || leaf.port !== undefined);
        if (!(error instanceof PortTaken) || isFixed || attempt >= 5) throw error;
      }
    }
  }

  /** A port that is only just being given up by a dying server is waited for; clients know no other. */
  private async startAgain(): Promise<void> {
    const before = this.run;
    this.run = undefined;
    await before?.stop();
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.startOnPorts();
      } catch (error) {
        if (!(error instanceof PortTaken) || attempt >= 50) throw error;
        await wait(100);
      }
    }
  }

  private async startOnPorts(): Promise<void> {
    const { now } = this.given;
    writePrivateFile(this.home.config, this.config(this.links));
    const run = await runNatsServer({
      program: this.found,
      home: this.home,
      serverName: this.serverName,
      host: HOST,
      port: this.settledPorts.client,
      readyTimeoutMs: this.options.readyTimeoutMs ?? 120_000,
      now,
    });
    this.run = run;
    this.lock.note({ url: this.url, serverPid: run.pid });
    void run.exited.then((exit) => {
      if (this.run === run) this.options.onExit?.(exit);
    });
  }

  private async changeVendors(vendors: Links['vendors']): Promise<void> {
    const next = { ...this.links, vendors };
    const config = this.config(next);
    writePrivateFile(this.home.config, config);
    try {
      await this.started.reload();
    } catch (error) {
      writePrivateFile(this.home.config, this.config(this.links));
      throw error;
    }
    this.links = next;
    writeLinks(this.home, next);
  }

  private config(links: Links): string {
    const { leaf } = this.options;
    return renderNatsConfig({
      serverName: this.serverName,
      host: HOST,
      port: this.settledPorts.client,
      storeDir: this.home.store,
      logFile: this.home.log,
      passwords: this.home.passwords,
      monitor: this.options.monitor,
      maxFileStoreBytes: this.options.maxFileStoreBytes,
      syncInterval: this.options.syncInterval,
      leafListen: leaf && {
        root: leaf.root,
        host: leaf.host,
        port: this.settledPorts.leaf,
        vendors: links.vendors,
      },
      leafRemotes: links.upstreams,
    });
  }

  /** Tells this server from a stranger on the same port; not a secret. */
  private get serverName(): string {
    return `headgate-${createHash('sha256').update(this.home.passwords.system).digest('hex').slice(0, 12)}`;
  }

  private get settledPorts(): NatsPorts {
    if (!this.ports) throw new Error('nats-server has no ports yet');
    return this.ports;
  }

  private get started(): NatsRun {
    if (!this.run) throw new Error('nats-server is stopped');
    return this.run;
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work, work);
    this.turn = result.catch(() => {});
    return result;
  }
}
