// `node infra/nats/render.mjs` writes nats-server.conf anew, from the renderer that embedded mode uses (after `npm run build`).
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NATS_USERS, renderNatsConfig } from '@headgate/embedded';

export const CONTAINER_CONFIG = fileURLToPath(new URL('nats-server.conf', import.meta.url));

/**
 * Name of the variable, and of the secret, that holds a user's password.
 *
 * @param {string} user
 */
const passwordVariable = (user) => `HEADGATE_NATS_${user.toUpperCase()}`;

/** The configuration of the nats-server of docker-compose.yml. It holds no secret: passwords.conf is made per installation. */
export const containerConfig = () =>
  renderNatsConfig({
    serverName: 'headgate',
    host: '0.0.0.0',
    port: 4222,
    monitor: { host: '127.0.0.1', port: 8222 },
    storeDir: '/data',
    passwords: /** @type {import('@headgate/embedded').NatsConfigOptions['passwords']} */ (
      Object.fromEntries(NATS_USERS.map((user) => [user, { variable: passwordVariable(user) }]))
    ),
    passwordsFile: 'passwords.conf',
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(CONTAINER_CONFIG, containerConfig());
