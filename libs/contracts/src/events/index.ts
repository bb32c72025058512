import { z } from 'zod';
import type { EventEnvelope } from './envelope.js';
import {
  flagArchivedV1,
  flagChangedV1,
  flagCreatedV1,
  flagKilledV1,
  flagKillLiftedV1,
  flagRestoredV1,
} from './flag-events.js';
import { channelCreatedV1, projectCreatedV1 } from './project-events.js';
import {
  rolloutAbortedV1,
  rolloutCompletedV1,
  rolloutPlannedV1,
  rolloutRequestedV1,
  rolloutRolledBackV1,
  rolloutSignalRaisedV1,
  rolloutStepEnteredV1,
  rolloutStoppedV1,
  rolloutVerdictGivenV1,
} from './rollout-events.js';
import { segmentChangedV1, segmentCreatedV1, segmentRemovedV1 } from './segment-events.js';
import { tokenCreatedV1, tokenRevokedV1 } from './token-events.js';

/** Every event this installation may meet, by type. A type once written stays here for ever. */
export const EVENT_SCHEMAS = {
  'project-created.v1': projectCreatedV1,
  'channel-created.v1': channelCreatedV1,
  'flag-created.v1': flagCreatedV1,
  'flag-changed.v1': flagChangedV1,
  'flag-killed.v1': flagKilledV1,
  'flag-kill-lifted.v1': flagKillLiftedV1,
  'flag-archived.v1': flagArchivedV1,
  'flag-restored.v1': flagRestoredV1,
  'rollout-requested.v1': rolloutRequestedV1,
  'rollout-planned.v1': rolloutPlannedV1,
  'rollout-step-entered.v1': rolloutStepEnteredV1,
  'rollout-verdict-given.v1': rolloutVerdictGivenV1,
  'rollout-signal-raised.v1': rolloutSignalRaisedV1,
  'rollout-completed.v1': rolloutCompletedV1,
  'rollout-rolled-back.v1': rolloutRolledBackV1,
  'rollout-stopped.v1': rolloutStoppedV1,
  'rollout-aborted.v1': rolloutAbortedV1,
  'segment-created.v1': segmentCreatedV1,
  'segment-changed.v1': segmentChangedV1,
  'segment-removed.v1': segmentRemovedV1,
  'token-created.v1': tokenCreatedV1,
  'token-revoked.v1': tokenRevokedV1,
} as const;

export type EventType = keyof typeof EVENT_SCHEMAS;
export type EventData<T extends EventType> = z.infer<(typeof EVENT_SCHEMAS)[T]>;

/** What a decider returns: the fact, without its place in the log. */
export type Fact = { [T in EventType]: { readonly type: T; readonly data: EventData<T> } }[EventType];

/** An event of the log with its data parsed. `data` is `null` after a redaction. */
export type LogEvent = {
  [T in EventType]: Omit<EventEnvelope, 'type' | 'data'> & { readonly type: T; readonly data: EventData<T> };
}[EventType];

export const isEventType = (type: string): type is EventType => Object.hasOwn(EVENT_SCHEMAS, type);
