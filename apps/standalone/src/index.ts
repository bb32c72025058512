export { type AdminParts, firstAdmin, type NewAdmin } from './installation/first-admin.js';
export type { Ready } from './installation/ready.js';
export { type StandaloneConfig, standaloneConfig } from './standalone-config.js';
export { type RunningStandalone, startStandalone } from './start-standalone.js';
