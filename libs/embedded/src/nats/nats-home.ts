import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedSecrets } from '../process/generated-secrets.js';
import { freeLoopbackPort, isPortFree } from '../process/loopback-port.js';
import { writePrivateFile } from '../process/private-files.js';
import { NATS_USERS, type NatsUser } from './roles.js';

/** Where everything of an embedded nats-server lies, below its data directory. */
export interface NatsHome {
  readonly dataDir: string;
  readonly config: string;
  readonly log: string;
  readonly output: string;
  readonly store: string;
  readonly passwords: Readonly<Record<NatsUser, string>>;
}

export interface NatsPorts {
  readonly client: number;
  readonly leaf: number;
}

/** Vendors that may mirror this installation, and upstreams it mirrors, with their passwords. */
export interface Links {
  readonly vendors: readonly { readonly name: string; readonly password: string }[];
  readonly upstreams: readonly {
    readonly url: string;
    readonly rootName: string;
    readonly vendor: string;
    readonly password: string;
  }[];
}

export function openNatsHome(dataDir: string, random?: (bytes: number) => Buffer): NatsHome {
  const log = join(dataDir, 'nats-server.log');
  // nats-server itself would let the group read it
  closeSync(openSync(log, 'a', 0o600));
  return {
    dataDir,
    config: join(dataDir, 'nats-server.conf'),
    log,
    output: join(dataDir, 'nats-server.out'),
    store: join(dataDir, 'store'),
    passwords: generatedSecrets(join(dataDir, 'credentials.json'), NATS_USERS, random),
  };
}

/**
 * Ports as at the last start, so that clients of a server that was restarted find it again; others where somebody else has
 * taken one meanwhile. A port asked for by number is used as it is.
 */
export async function settlePorts(home: NatsHome, wanted: Partial<NatsPorts>): Promise<NatsPorts> {
  const path = join(home.dataDir, 'ports.json');
  const last = readJson<Partial<NatsPorts>>(path, {}, isPorts);
  const client = wanted.client ?? (await freePort(last.client, []));
  const leaf = wanted.leaf ?? (await freePort(last.leaf, [client]));
  const ports = { client, leaf };
  if (client !== last.client || leaf !== last.leaf) writePrivateFile(path, `${JSON.stringify(ports)}\n`);
  return ports;
}

export function readLinks(home: NatsHome): Links {
  return readJson<Links>(join(home.dataDir, 'links.json'), { vendors: [], upstreams: [] }, isLinks);
}

export function writeLinks(home: NatsHome, links: Links): void {
  writePrivateFile(join(home.dataDir, 'links.json'), `${JSON.stringify(links, null, 2)}\n`);
}

async function freePort(last: number | undefined, taken: readonly number[]): Promise<number> {
  if (last !== undefined && !taken.includes(last) && (await isPortFree(last))) return last;
  return freeLoopbackPort(taken);
}

function readJson<T>(path: string, whenAbsent: T, isValid: (value: unknown) => boolean): T {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return whenAbsent;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isValid(value)) return value as T;
  } catch {
    // not JSON: the same answer as JSON of another shape
  }
  throw new Error(`${path} is damaged; restore it from a backup, or remove it to start without what it held`);
}

function isPorts(value: unknown): boolean {
  const isPort = (port: unknown) => Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
  return isRecord(value) && isPort(value.client) && isPort(value.leaf);
}

function isLinks(value: unknown): boolean {
  const areTexts = (list: unknown, keys: readonly string[]) =>
    Array.isArray(list) &&
    list.every((entry) => isRecord(entry) && keys.every((key) => typeof entry[key] === 'string'));
  return (
    isRecord(value) &&
    areTexts(value.vendors, ['name', 'password']) &&
    areTexts(value.upstreams, ['url', 'rootName', 'vendor', 'password'])
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
