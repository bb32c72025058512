export { createTestDatabase } from './create-test-database.js';
export type {
  EmbeddedNats,
  NatsCredentials,
  StartNatsOptions,
  VendorBundle,
} from './nats/embedded-nats.js';
export { isAtLeast, NATS_FLOOR } from './nats/find-nats-server.js';
export {
  LINK_ACCOUNT,
  type Link,
  linkAccount,
  linkUser,
  mirrorConsumerConfig,
  mirrorConsumerName,
  mirrorStreamConfig,
} from './nats/mirror.js';
export {
  inboxPrefix,
  NATS_ROLES,
  NATS_USERS,
  type NatsRole,
  type NatsUser,
  permissionsOf,
  SYSTEM_USER,
} from './nats/roles.js';
export {
  type LeafListen,
  type LeafRemote,
  type NatsConfigOptions,
  renderNatsConfig,
  type Secret,
} from './nats-config.js';
export { DataDirectoryInUse, type DataLock, lockData } from './process/data-lock.js';
export { generatedSecrets } from './process/generated-secrets.js';
export { freeLoopbackPort, isPortFree } from './process/loopback-port.js';
export { privateFolder, writePrivateFile } from './process/private-files.js';
export { startNats } from './start-nats.js';
export { type EmbeddedPostgres, type StartPostgresOptions, startPostgres } from './start-postgres.js';
