export { deriveCommandId } from './derive-command-id.js';
export {
  EventStoreError,
  EventUnreadable,
  LogBehind,
  LogForked,
  LogOutcomeUnknown,
  LogUnavailable,
  WritesRefused,
} from './errors.js';
export type {
  CommandMeta,
  EventStore,
  FoldedProject,
  FollowCheckpoint,
  FollowedLog,
  StoredEvent,
  WriteGuards,
} from './event-store.js';
export { type FlagsHead, flagsHeadReader } from './flags-head.js';
export { type KeepFollowing, keepFollowing } from './keep-following.js';
export { type EventStoreOptions, openEventStore } from './open-event-store.js';
export { openMemoryEventStore } from './open-memory-event-store.js';
