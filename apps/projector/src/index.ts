export {
  Projection,
  type ProjectionNote,
  type ProjectionOptions,
  type ProjectionStatus,
  type RefusedAt,
} from './projection.js';
export { ProjectorModule, type ProjectorOptions, projectionPause } from './projector.module.js';
export { type ProjectorConfig, projectorConfig } from './projector-config.js';
export { type Readopted, type ReadoptOptions, readoptFlags } from './readopt-flags.js';
export { type LogRestored, RestoreRefused, restoreLog } from './restore-log.js';
export { UsageModule, type UsageModuleOptions } from './usage/usage.module.js';
export { UsageRun, type UsageRunOptions } from './usage/usage-run.js';
export { type LogVerified, verifyLog } from './verify-log.js';
