export { type Access, Allow, CallerOf, Public } from './auth/access.js';
export { BearerGuard } from './auth/bearer-guard.js';
export {
  AnyOfBearers,
  Bearers,
  type Caller,
  FixedBearers,
  isSameHash,
  secretHash,
} from './auth/bearers.js';
export { ConfigError } from './config/config-error.js';
export { type ConfigField, configFields } from './config/config-fields.js';
export {
  type ConfigOrigin,
  type ConfigSources,
  type LoadedConfig,
  loadConfig,
} from './config/load-config.js';
export {
  type HealthAnswer,
  type HealthCheck,
  HealthRegistry,
  type HealthReport,
} from './health/health-registry.js';
export { BodyLimit } from './http/body-limit.js';
export { type EventStream, openEventStream } from './http/event-stream.js';
export type { FastifyInstance, FastifyReply, FastifyRequest } from './http/fastify-types.js';
export { InvalidInput, RequestRefused, TooLarge } from './http/input-errors.js';
export { sendProblem } from './http/problem-filter.js';
export { toProblem } from './http/to-problem.js';
export { issueLines } from './http/validation.js';
export { uuidV7Source } from './ids/uuid-v7.js';
export { Log, type LogFields, type LogLevel, type LogOptions, processLog } from './log/log.js';
export { redact, redactText } from './log/redact.js';
export { type MetricOptions, Metrics } from './metrics/metrics.js';
export { type RunningService, runService, type ServiceOptions } from './service/run-service.js';
export { serveUntilSignal } from './service/serve-until-signal.js';
export { Shutdown } from './service/shutdown.js';
export { readTls, type TlsFiles, tlsFilesOf, watchTls } from './service/tls-files.js';
