export * from './api/commands.js';
export * from './api/problem.js';
export * from './api/usage-views.js';
export * from './api/views.js';
export * from './errors.js';
export * from './events/envelope.js';
export * from './events/index.js';
export {
  RAISED_SIGNAL_KINDS,
  raisedSignalKind,
  type SignalSource,
  signalSource,
  VERDICT_DECISIONS,
  type VerdictDecision,
  verdictDecision,
  type WeighedSignal,
  weighedSignal,
} from './events/rollout-events.js';
export { TOKEN_ROLES, type TokenRole, tokenRole } from './events/token-events.js';
export * from './identifiers.js';
export * from './subjects.js';
export * from './wire/channel.js';
export * from './wire/dead-letter.js';
export * from './wire/flag-document.js';
export * from './wire/gateway-usage.js';
export * from './wire/judge-policy.js';
export * from './wire/plan-question.js';
export * from './wire/report.js';
export * from './wire/segment.js';
