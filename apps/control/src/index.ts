export { LogBearers } from './access/log-bearers.js';
export type { OperationReport } from './api/schemas.js';
export { ControlModule } from './control.module.js';
export { type ControlConfig, controlConfig } from './control-config.js';
export type { ControlParts, Operations } from './control-parts.js';
