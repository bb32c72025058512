import type { EventType, LogEvent } from '@headgate/contracts';
import {
  applyEvent,
  CommandRefused,
  compileDocument,
  flagsMovedBy,
  type ProjectState,
  surroundingsOf,
} from '@headgate/domain';
import { checkChange, type EventDraft } from '@headgate/trust';

/** What brings something new into documents. A kill, and whatever else ends something, is never refused for its form. */
const CHECKED: ReadonlySet<string> = new Set<EventType>([
  'flag-created.v1',
  'flag-changed.v1',
  'flag-kill-lifted.v1',
  'segment-created.v1',
  'segment-changed.v1',
  'rollout-requested.v1',
]);

/**
 * Refuses an event after which a document could not be published. The deciders know why and say so; this is what holds when they
 * overlook something: an acknowledged change must reach its readers.
 */
export const refuseUnsignable = (state: ProjectState, draft: EventDraft): void => {
  if (!CHECKED.has(draft.type)) return;
  const after = copyOf(state);
  const { epoch = 0, position = 0 } = state.head ?? {};
  const event = { ...draft, epoch, position: position + 1, prevHash: '', hash: '' } as unknown as LogEvent;
  applyEvent(after, event);
  for (const flag of flagsMovedBy(after, event)) {
    try {
      const doc = compileDocument(draft.project, flag, surroundingsOf(after, flag.channel));
      checkChange({ flagId: flag.id, doc });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CommandRefused('flag-invalid', `flag "${flag.key}" could not be published: ${why}`, [why]);
    }
  }
};

/** Aggregates are values: a copy needs its own maps alone. Answers are left out, they say nothing of documents. */
const copyOf = (state: ProjectState): ProjectState => ({
  ...state,
  channels: new Map(state.channels),
  flags: new Map(state.flags),
  flagIds: new Map(state.flagIds),
  segments: new Map(state.segments),
  segmentIds: new Map(state.segmentIds),
  usedBy: new Map([...state.usedBy].map(([use, ids]) => [use, new Set(ids)])),
  rollouts: new Map(state.rollouts),
  tokens: new Map(state.tokens),
  answered: new Map(),
});
