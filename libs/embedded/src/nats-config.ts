import { STREAMS } from '@headgate/contracts';
import { type ConfValue, confText } from './nats/conf-text.js';
import {
  LINK_ACCOUNT,
  linkAccount,
  linkUser,
  mirrorApiPrefix,
  mirrorConsumerName,
  mirrorDeliverSubject,
  mirrorFlowSubject,
  mirrorResetSubject,
} from './nats/mirror.js';
import { NATS_ROLES, type NatsUser, permissionsOf, SYSTEM_USER } from './nats/roles.js';

/** A password, or the name of an environment variable from which nats-server reads it. */
export type Secret = string | { readonly variable: string };

export interface LeafListen {
  readonly port: number;
  readonly host?: string;
  /** Name of this installation, as its vendors call it. */
  readonly root: string;
  readonly vendors: readonly { readonly name: string; readonly password: Secret }[];
}

export interface LeafRemote {
  /** Address of the upstream's leaf listener: `nats-leaf://host:port`, `tls://…` or `wss://…`, without credentials. */
  readonly url: string;
  readonly rootName: string;
  readonly vendor: string;
  readonly password: string;
}

export interface NatsConfigOptions {
  readonly serverName: string;
  readonly port: number;
  readonly host?: string;
  readonly storeDir: string;
  readonly passwords: Readonly<Record<NatsUser, Secret>>;
  /** A file beside this one that sets the variables which passwords name. */
  readonly passwordsFile?: string;
  readonly pidFile?: string;
  readonly logFile?: string;
  readonly monitor?: { readonly host: string; readonly port: number };
  readonly maxFileStoreBytes?: number;
  /** `always`, unless a test shows what is lost otherwise: an acknowledged event is on disk (DESIGN.md §2). */
  readonly syncInterval?: 'always' | `${number}${'s' | 'm'}`;
  readonly leafListen?: LeafListen;
  readonly leafRemotes?: readonly LeafRemote[];
}

const MIB = 1024 * 1024;

/**
 * The one source of nats-server's configuration, for the embedded server and for docker-compose. Pure: equal options give
 * equal text. Three accounts: `HG` holds every stream, `LINK` (and `LINK_<root>`) holds only the wiring of mirrors and is
 * the only one a leaf node can bind to, `SYS` answers `headgate doctor`. Throws TypeError on a name that is no token.
 */
export function renderNatsConfig(options: NatsConfigOptions): string {
  const { leafListen, leafRemotes = [], host = '127.0.0.1' } = options;
  assertTokens(leafListen, leafRemotes);
  const include = options.passwordsFile ? `include "${options.passwordsFile}"\n` : '';
  return `${include}${confText({
    server_name: options.serverName,
    listen: `${host}:${options.port}`,
    http: options.monitor && `${options.monitor.host}:${options.monitor.port}`,
    pid_file: options.pidFile,
    log_file: options.logFile,
    logfile_size_limit: options.logFile ? 16 * MIB : undefined,
    logfile_max_num: options.logFile ? 4 : undefined,
    max_payload: MIB,
    // a leaf whose connection died without a word is noticed after 6 s, not after the default of 4 minutes
    ping_interval: '2s',
    ping_max: 3,
    jetstream: {
      store_dir: options.storeDir,
      sync_interval: options.syncInterval ?? 'always',
      max_file_store: options.maxFileStoreBytes ?? 32 * 1024 * MIB,
      max_memory_store: 64 * MIB,
    },
    accounts: {
      HG: homeAccount(options),
      [LINK_ACCOUNT]: leafListen ? listenAccount(leafListen) : { users: [] },
      ...Object.fromEntries(
        leafRemotes.map((remote) => [linkAccount(remote.rootName), remoteAccount(remote)]),
      ),
      SYS: { users: [{ user: SYSTEM_USER, password: options.passwords.system, ...STANDARD_ONLY }] },
    },
    system_account: 'SYS',
    leafnodes: leafNodes(leafListen, leafRemotes),
  })}`;
}

/** A stolen password of a service must not open the leaf port, nor a vendor's the client port. */
const STANDARD_ONLY = { allowed_connection_types: ['STANDARD'] };
const LEAF_ONLY = { allowed_connection_types: ['LEAFNODE', 'LEAFNODE_WS'] };

function homeAccount({ passwords, leafListen, leafRemotes = [] }: NatsConfigOptions): ConfValue {
  const vendors = leafListen?.vendors ?? [];
  const surroundings = {
    roots: leafRemotes.map(({ rootName }) => rootName),
    mirrorConsumers: vendors.map(({ name }) => ({
      stream: STREAMS.flags,
      consumer: mirrorConsumerName({ root: leafListen?.root ?? '', vendor: name }),
    })),
  };
  return {
    jetstream: 'enabled',
    users: NATS_ROLES.map((role) => ({
      user: role,
      password: passwords[role],
      ...STANDARD_ONLY,
      permissions: permissionsOf(role, surroundings) as unknown as ConfValue,
    })),
    exports: leafListen && [
      { stream: `fed.${leafListen.root}.>`, accounts: [LINK_ACCOUNT] },
      { service: `$JS.API.CONSUMER.RESET.${STREAMS.flags}.*`, accounts: [LINK_ACCOUNT] },
      { service: `$JS.FC.${STREAMS.flags}.>`, accounts: [LINK_ACCOUNT] },
    ],
    imports:
      leafRemotes.length === 0
        ? undefined
        : leafRemotes.flatMap((remote) => {
            const link = { root: remote.rootName, vendor: remote.vendor };
            const account = linkAccount(remote.rootName);
            return [
              { stream: { account, subject: mirrorDeliverSubject(link) } },
              { service: { account, subject: mirrorResetSubject(link) } },
              { service: { account, subject: mirrorFlowSubject(link) } },
            ];
          }),
  };
}

/** Upstream side: everything a vendor could touch is imported here once; its user's permissions narrow it to its own. */
function listenAccount({ root, vendors }: LeafListen): ConfValue {
  const reset = `CONSUMER.RESET.${STREAMS.flags}.*`;
  return {
    users: vendors.map(({ name, password }) => {
      const link = { root, vendor: name };
      return {
        user: linkUser(link),
        password,
        ...LEAF_ONLY,
        permissions: {
          publish: { allow: [mirrorResetSubject(link), mirrorFlowSubject(link)] },
          subscribe: { allow: [mirrorDeliverSubject(link), '_R_.>', '_GR_.>'] },
        },
      };
    }),
    imports: [
      { stream: { account: 'HG', subject: `fed.${root}.>` } },
      { service: { account: 'HG', subject: `$JS.API.${reset}` }, to: `${mirrorApiPrefix(root)}.${reset}` },
      { service: { account: 'HG', subject: `$JS.FC.${STREAMS.flags}.>` } },
    ],
  };
}

/** Vendor side: what its own HG may use of the leaf, by exact subject. */
function remoteAccount({ rootName, vendor }: LeafRemote): ConfValue {
  const link = { root: rootName, vendor };
  return {
    exports: [
      { stream: mirrorDeliverSubject(link), accounts: ['HG'] },
      { service: mirrorResetSubject(link), accounts: ['HG'] },
      { service: mirrorFlowSubject(link), accounts: ['HG'] },
    ],
  };
}

function leafNodes(
  listen: LeafListen | undefined,
  remotes: readonly LeafRemote[],
): { readonly [key: string]: ConfValue | undefined } | undefined {
  if (!listen && remotes.length === 0) return undefined;
  return {
    ...(listen && {
      listen: `${listen.host ?? '127.0.0.1'}:${listen.port}`,
      // a vendor connects where its operator pointed it, never where gossip would send it
      no_advertise: true,
    }),
    reconnect: '1s',
    ...(remotes.length > 0 && {
      remotes: remotes.map((remote) => ({
        urls: [remoteUrl(remote)],
        account: linkAccount(remote.rootName),
      })),
    }),
  };
}

function remoteUrl({ url, vendor, password }: LeafRemote): string {
  const parsed = new URL(url);
  parsed.username = linkUser({ vendor });
  parsed.password = password;
  return parsed.href;
}

function assertTokens(listen: LeafListen | undefined, remotes: readonly LeafRemote[]): void {
  const names = [
    ...(listen ? [listen.root, ...listen.vendors.map(({ name }) => name)] : []),
    ...remotes.flatMap(({ rootName, vendor }) => [rootName, vendor]),
  ];
  for (const name of names) {
    if (!/^[a-z0-9_-]{1,64}$/.test(name)) {
      throw new TypeError(
        `name of an upstream or vendor ${JSON.stringify(name)} must match [a-z0-9_-]{1,64}`,
      );
    }
  }
}
