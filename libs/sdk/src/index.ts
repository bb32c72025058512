export type { EvaluationContext } from '@headgate/evaluation';
export { connectHeadgate } from './connect-headgate.js';
// For those who stand between (apps/gateway): one channel on disk, as the SDK itself keeps it.
export { type CopyContent, CopyKeeper } from './copy/copy-keeper.js';
export { LocalCopy, type StoredCopy } from './copy/local-copy.js';
export { type Environment, machineEnvironment } from './environment.js';
export type {
  FlagDetails,
  FlagErrorCode,
  FlagsChanged,
  Headgate,
  HeadgateStatus,
  Problem,
} from './headgate.js';
export { instanceOf } from './options/identity.js';
export type { HeadgateOptions } from './options/options.js';
export type { Counter, Gauge } from './telemetry/meters.js';
export { openTestHeadgate, type TestFlag, type TestHeadgate } from './test-headgate.js';
