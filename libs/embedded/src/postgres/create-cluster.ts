import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresProgram } from './find-postgres.js';
import { ADMIN, DATABASE, OWNER, type PostgresHome } from './postgres-home.js';
import { runUnprivileged, type Unprivileged } from './unprivileged.js';

/**
 * Postgres takes its settings from its command line only; nothing of the caller's environment may change it. HEADGATE_RUN
 * is the mark by which `npm test` finds processes that were left behind.
 */
export const POSTGRES_ENV: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  LC_ALL: 'C',
  TZ: 'UTC',
  ...(process.env.HEADGATE_RUN && { HEADGATE_RUN: process.env.HEADGATE_RUN }),
};

/**
 * Makes a cluster with two roles and one database. It appears under its name only when whole: a first start that was cut
 * off leaves nothing that a second one could mistake for data.
 */
export async function createCluster(
  program: PostgresProgram,
  as: Unprivileged,
  home: PostgresHome,
  durable: boolean,
): Promise<void> {
  const incoming = `${home.cluster}.incoming`;
  const passwordFile = join(home.dataDir, 'admin-password.incoming');
  rmSync(incoming, { recursive: true, force: true });
  writeFileSync(passwordFile, home.passwords[ADMIN], { mode: 0o600 });
  as.own(passwordFile);
  try {
    const { code, output } = await runUnprivileged(
      as,
      join(program.bin, 'initdb'),
      [
        `--pgdata=${incoming}`,
        `--username=${ADMIN}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--data-checksums',
        ...(durable ? [] : ['--no-sync', '--wal-segsize=1']),
      ],
      { env: POSTGRES_ENV, cwd: home.dataDir },
    );
    if (code !== 0) throw new Error(`initdb could not make ${home.cluster}:\n${output.trim()}${as.hint}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  await singleUser(program, as, home, incoming, [
    `CREATE ROLE ${OWNER} LOGIN PASSWORD '${home.passwords[OWNER]}'`,
    `CREATE DATABASE ${DATABASE} OWNER ${OWNER}`,
  ]);
  renameSync(incoming, home.cluster);
}

/** For a cluster whose credentials file is gone: who can write the data directory is its owner anyway. */
export async function resetPasswords(
  program: PostgresProgram,
  as: Unprivileged,
  home: PostgresHome,
): Promise<void> {
  if (!existsSync(home.cluster)) return;
  await singleUser(
    program,
    as,
    home,
    home.cluster,
    [ADMIN, OWNER].map((role) => `ALTER ROLE ${role} PASSWORD '${home.passwords[role as typeof OWNER]}'`),
  );
}

/** Runs statements on a cluster nobody serves; passwords go through stdin, so that no list of processes shows them. */
async function singleUser(
  program: PostgresProgram,
  as: Unprivileged,
  home: PostgresHome,
  cluster: string,
  statements: readonly string[],
): Promise<void> {
  const { code, output } = await runUnprivileged(
    as,
    join(program.bin, 'postgres'),
    ['--single', '-D', cluster, 'postgres'],
    { input: `${statements.join('\n')}\n`, env: POSTGRES_ENV, cwd: home.dataDir },
  );
  if (code === 0 && !/^.*(ERROR|FATAL|PANIC):/m.test(output)) return;
  const telling = output.split('\n').filter((line) => /ERROR|FATAL|PANIC|HINT|DETAIL/.test(line));
  throw new Error(`Postgres could not prepare ${cluster}:\n${telling.join('\n') || output.trim()}${as.hint}`);
}
