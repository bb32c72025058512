export { type ReactorNote, type ReactorOptions, RolloutReactor } from './rollout-reactor.js';
export { RolloutsModule } from './rollouts.module.js';
export { type RolloutsConfig, rolloutsConfig } from './rollouts-config.js';
export type { RolloutsOptions } from './rollouts-options.js';
