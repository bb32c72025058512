export { TrustKeeper, type TrustKeeperOptions } from './keys/trust-keeper.js';
export { Publisher, type PublisherNote, type PublisherOptions } from './publisher.js';
export { PublisherModule } from './publisher.module.js';
export { type PublisherConfig, publisherConfig } from './publisher-config.js';
export type { PublisherModuleOptions } from './publisher-options.js';
