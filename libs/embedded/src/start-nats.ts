import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EmbeddedNats, StartNatsOptions } from './nats/embedded-nats.js';
import { findNatsServer } from './nats/find-nats-server.js';
import { openNatsHome } from './nats/nats-home.js';
import { NatsInstallation } from './nats/nats-installation.js';
import { lockData } from './process/data-lock.js';
import { privateFolder } from './process/private-files.js';

/**
 * Runs nats-server on a data directory of its own: generated passwords, loopback ports that stay the same between starts,
 * one server per directory. Throws DataDirectoryInUse when the directory is already served, and an Error with the server's
 * own words when it will not start. The server ends with this process, however that dies.
 */
export async function startNats(options: StartNatsOptions): Promise<EmbeddedNats> {
  const { now = Date.now, env = process.env, random = randomBytes } = options;
  const program = await findNatsServer({
    env: options.natsBin ? { ...env, HEADGATE_NATS_BIN: options.natsBin } : env,
    from: fileURLToPath(new URL('.', import.meta.url)),
  });
  privateFolder(options.dataDir);
  const lock = await lockData({
    path: join(options.dataDir, 'nats-server.lock'),
    what: `nats-server data in ${options.dataDir}`,
    now,
    patienceMs: 30_000,
  });
  try {
    const home = openNatsHome(options.dataDir, random);
    const server = new NatsInstallation(options, home, program, lock, { now, random });
    await server.start();
    return server;
  } catch (error) {
    lock.release();
    throw error;
  }
}
