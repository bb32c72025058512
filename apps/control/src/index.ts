export { LogBearers } from './access/log-bearers.js';
export type { OperationReport } from './api/schemas.js';
export { ControlModule } from './control.module.js';
export type { ControlParts, Operations, PlanRequest } from './control-parts.js';
