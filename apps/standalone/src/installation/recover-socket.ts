import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { TokenView } from '@headgate/contracts';
import { SYSTEM_PROJECT } from '@headgate/contracts';
import { viewToken } from '@headgate/domain';
import type { Log } from '@headgate/service-kit';
import { type AdminParts, createAdmin } from './first-admin.js';

/** Linux takes at most 107 bytes as a socket's address, macOS 103. */
const MAX_SOCKET_PATH = 103;

/**
 * Makes new admin tokens for whoever can open a socket inside the installation's 0700 folder, that is for the user who runs it
 * (and root), who could read every key anyway. Each use is an event of the log like any other token.
 */
export const openRecoverSocket = async (
  folder: string,
  parts: AdminParts,
  log: Log,
): Promise<{ close(): Promise<void> }> => {
  const path = join(folder, 'recover.sock');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    log.warn('the path is too long for a socket: headgate token recover will not work here', { path });
    return { close: async () => undefined };
  }
  rmSync(path, { force: true });
  const server = createServer((request, answer) => {
    request.resume();
    if (request.method !== 'POST' || request.url !== '/token') {
      answer.writeHead(404).end();
      return;
    }
    recovered(parts).then(
      (created) => {
        log.warn('a new admin token was made through the recovery socket', { tokenId: created.id });
        answer.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(created));
      },
      (cause: unknown) => {
        log.error('recovering a token failed', { error: cause });
        answer.writeHead(500).end();
      },
    );
  });
  await listen(server, path);
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const recovered = async (parts: AdminParts): Promise<TokenView & { secret: string }> => {
  const { id, secret } = await createAdmin(
    parts,
    'recovered admin',
    'recovered on the machine of the installation',
  );
  const { state } = await parts.store.project(SYSTEM_PROJECT);
  const token = state.tokens.get(id);
  if (!token) throw new Error(`token ${id} was acknowledged and is not in the log`);
  return { ...viewToken(token), secret };
};

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
