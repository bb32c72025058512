import type { FlagDocument, LogEvent, LogPosition } from '@headgate/contracts';
import {
  applyEvent,
  compileDocument,
  emptyProject,
  type Flag,
  flagsMovedBy,
  type ProjectState,
  type Surroundings,
  surroundingsOf,
} from '@headgate/domain';

/**
 * What one event may have changed: flags of a channel — its own and those that need it — at once when it is a kill; none for a
 * channel that is new.
 */
export interface Touched {
  readonly channel: string;
  readonly flagIds: readonly string[];
  readonly isUrgent: boolean;
}

/** One project of the log, folded, seen as the documents of its channels. */
export class ProjectFold {
  readonly #state: ProjectState = emptyProject();

  constructor(readonly project: string) {}

  get head(): LogPosition | null {
    return this.#state.head;
  }

  get channels(): Iterable<string> {
    return this.#state.channels.keys();
  }

  beatLifetimeMs(channel: string): number | undefined {
    return this.#state.channels.get(channel)?.beatLifetimeMs;
  }

  apply(event: LogEvent): Touched | null {
    applyEvent(this.#state, event);
    if (event.type === 'channel-created.v1' && event.data !== null)
      return { channel: event.data.slug, flagIds: [], isUrgent: false };
    const moved = flagsMovedBy(this.#state, event);
    const [first] = moved;
    if (first === undefined) return null;
    // Flags need only flags and segments of their own channel.
    const flagIds = moved.map(({ id }) => id);
    return { channel: first.channel, flagIds, isUrgent: event.type === 'flag-killed.v1' };
  }

  flag(flagId: string): Flag | undefined {
    return this.#state.flags.get(flagId);
  }

  /** Gives the document that a flag of the channel has now; null for none. */
  documents(channel: string): (flagId: string) => FlagDocument | null {
    const around = surroundingsOf(this.#state, channel);
    return (flagId) => this.#document(channel, flagId, around);
  }

  /** Every flag that the channel has or should have. */
  flagIds(channel: string, held: ReadonlyMap<string, FlagDocument>): ReadonlySet<string> {
    const flagIds = new Set(held.keys());
    for (const flag of this.#state.flags.values()) if (flag.channel === channel) flagIds.add(flag.id);
    return flagIds;
  }

  #document(channel: string, flagId: string, around: Surroundings): FlagDocument | null {
    const flag = this.#state.flags.get(flagId);
    return flag?.channel === channel ? compileDocument(this.project, flag, around) : null;
  }
}
