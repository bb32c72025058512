import type { NatsConfigOptions } from '../nats-config.js';
import type { Exit } from '../process/supervise.js';
import type { NatsUser } from './roles.js';

export interface StartNatsOptions {
  /** The server's own folder, made 0700: `.headgate/nats`. */
  readonly dataDir: string;
  /** Program to run, instead of looking for one. */
  readonly natsBin?: string;
  /** Client port; without it a free one, kept between starts. */
  readonly port?: number;
  /** Lets vendors mirror this installation, which they call `root`. Loopback unless `host` says otherwise. */
  readonly leaf?: { readonly root: string; readonly host?: string; readonly port?: number };
  readonly monitor?: NatsConfigOptions['monitor'];
  readonly maxFileStoreBytes?: number;
  readonly syncInterval?: NatsConfigOptions['syncInterval'];
  /** How long the server may take to read its streams; 120 s by default. */
  readonly readyTimeoutMs?: number;
  /** Told when the server ends without having been asked to; `restart()` brings it back on the same ports. */
  readonly onExit?: (exit: Exit) => void;
  readonly env?: NodeJS.ProcessEnv;
  readonly now?: () => number;
  readonly random?: (bytes: number) => Buffer;
}

export interface NatsCredentials {
  readonly servers: string;
  readonly user: string;
  readonly pass: string;
  /** A role may listen on no other inbox: pass it on to the client library. */
  readonly inboxPrefix: string;
}

export interface VendorBundle {
  readonly url: string;
  readonly rootName: string;
  readonly vendor: string;
  readonly password: string;
}

export interface EmbeddedNats {
  readonly url: string;
  /** Where vendors' leaf nodes connect; null when started without `leaf`. */
  readonly leafUrl: string | null;
  /** Process id of the running server; changes with every restart. */
  readonly pid: number;
  readonly version: string;
  readonly program: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly urlFor: (user: NatsUser) => string;
  readonly credentials: (user: NatsUser) => NatsCredentials;
  /** Gives a vendor its password and rights, without a restart; a vendor already enrolled gets the same again. */
  readonly enrolVendor: (name: string) => Promise<VendorBundle>;
  /** Takes a vendor's rights away and closes its connection. */
  readonly withdrawVendor: (name: string) => Promise<void>;
  /** Connects this installation to an upstream as its mirror. Restarts the server: leaf remotes are read only then. */
  readonly joinUpstream: (bundle: VendorBundle) => Promise<void>;
  /** Stops the server if it runs and starts it on the same data and ports. */
  readonly restart: () => Promise<void>;
  readonly isRunning: () => boolean;
  /** Ends the server cleanly and gives the data directory free. Safe to repeat. */
  readonly stop: () => Promise<void>;
}
