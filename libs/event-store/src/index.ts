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
export { type KeepFollowing, keepFollowing } from './keep-following.js';
