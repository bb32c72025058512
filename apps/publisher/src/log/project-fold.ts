import type { Change, FlagDocument, LogEvent, LogPosition } from '@headgate/contracts';
import { applyEvent, compileDocument, emptyProject, type ProjectState } from '@headgate/domain';

/** What one event may have changed: a flag of a channel, at once when it is a kill; or a channel that is new. */
export interface Touched {
  readonly channel: string;
  readonly flagId: string | null;
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
      return { channel: event.data.slug, flagId: null, isUrgent: false };
    const rollout = event.kind === 'rollout' ? this.#state.rollouts.get(event.aggregateId) : undefined;
    const flagId = event.kind === 'flag' ? event.aggregateId : rollout?.flagId;
    const flag = flagId === undefined ? undefined : this.#state.flags.get(flagId);
    if (flag === undefined) return null;
    return { channel: flag.channel, flagId: flag.id, isUrgent: event.type === 'flag-killed.v1' };
  }

  /** The documents that these flags have now. */
  changes(channel: string, flagIds: Iterable<string>): Change[] {
    return [...flagIds].map((flagId) => ({ flagId, doc: this.#document(channel, flagId) }));
  }

  /** Every flag that the channel has or should have. */
  allChanges(channel: string, held: ReadonlyMap<string, FlagDocument>): Change[] {
    const flagIds = new Set(held.keys());
    for (const flag of this.#state.flags.values()) if (flag.channel === channel) flagIds.add(flag.id);
    return this.changes(channel, flagIds);
  }

  #document(channel: string, flagId: string): FlagDocument | null {
    const flag = this.#state.flags.get(flagId);
    return flag?.channel === channel ? compileDocument(this.project, flag) : null;
  }
}
