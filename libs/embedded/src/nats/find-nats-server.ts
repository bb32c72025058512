import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Durable mirrors (ADR-60) came with this version; older servers take the configuration and ignore what they do not know. */
export const NATS_FLOOR = '2.14.0';

export interface NatsServerProgram {
  readonly path: string;
  readonly version: string;
}

export interface FindNatsServerOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Folder from which `.cache/nats/nats-server` is looked for, upwards. */
  readonly from: string;
  readonly versionOf?: (path: string) => Promise<string | undefined>;
}

/**
 * Finds a nats-server of 2.14.0 or later without the network: $HEADGATE_NATS_BIN (an error when it does not do), the copy
 * that bootstrap keeps under .cache, then every one in PATH. Programs that are too old are passed over and named in the
 * error when nothing is left.
 */
export async function findNatsServer(options: FindNatsServerOptions): Promise<NatsServerProgram> {
  const { env, from, versionOf = natsServerVersion } = options;
  const chosen = env.HEADGATE_NATS_BIN;
  if (chosen) {
    const refusal = await tryProgram(chosen, versionOf);
    if ('version' in refusal) return refusal;
    throw new Error(
      `HEADGATE_NATS_BIN=${chosen} ${refusal.reason}; set it to a nats-server ${NATS_FLOOR} or later, or unset it`,
    );
  }
  const refused: string[] = [];
  for (const path of [...cachedPrograms(from), ...programsInPath(env.PATH ?? '')]) {
    const tried = await tryProgram(path, versionOf);
    if ('version' in tried) return tried;
    refused.push(`${path} ${tried.reason}`);
  }
  const seen = refused.length > 0 ? ` (passed over: ${refused.join('; ')})` : '';
  throw new Error(
    `no nats-server ${NATS_FLOOR} or later found${seen}; run \`npm run bootstrap\`, or set HEADGATE_NATS_BIN to one`,
  );
}

async function tryProgram(
  path: string,
  versionOf: (path: string) => Promise<string | undefined>,
): Promise<NatsServerProgram | { readonly reason: string }> {
  const version = await versionOf(path);
  if (version === undefined) return { reason: 'does not run' };
  return isAtLeast(version, NATS_FLOOR)
    ? { path, version }
    : { reason: `is ${version}, older than ${NATS_FLOOR}` };
}

/** From a checkout or an installed package alike: the nearest `.cache` on the way to the root of the file system. */
function cachedPrograms(from: string): string[] {
  const here = join(from, '.cache', 'nats', 'nats-server');
  const above = dirname(from);
  return [...(existsSync(here) ? [here] : []), ...(above === from ? [] : cachedPrograms(above))];
}

function programsInPath(path: string): string[] {
  const folders = [...new Set(path.split(delimiter).filter(Boolean))];
  return folders.map((folder) => join(folder, 'nats-server')).filter((program) => existsSync(program));
}

const run = promisify(execFile);

async function natsServerVersion(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
    return /v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

/** Compares `major.minor.patch`; a pre-release of the floor itself does not count as it. */
export function isAtLeast(version: string, floor: string): boolean {
  const numbers = (text: string) => text.split(/[.-]/).slice(0, 3).map(Number);
  const [actual, wanted] = [numbers(version), numbers(floor)];
  for (const [index, want] of wanted.entries()) {
    const have = actual[index] ?? 0;
    if (have !== want) return have > want;
  }
  return !version.includes('-');
}
