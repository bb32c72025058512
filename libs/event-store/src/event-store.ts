import type { Acknowledged, LogEvent, LogPosition } from '@headgate/contracts';
import type { Command, ProjectState } from '@headgate/domain';

/** Who sent a command, and in what connection. */
export interface CommandMeta {
  /** Chosen by the sender: repeating a command with the same id gets the first answer for 24 hours. */
  readonly commandId: string;
  /** Opaque: a token's id, a service's name; never a person's name or address. */
  readonly actor: string;
  readonly causationId?: string;
  readonly correlationId?: string;
  /** Only for a restore: begins a new epoch, behind witnesses that the restore itself has read. */
  readonly epoch?: number;
}

/** An event as the log holds it. The stream's sequence is where to find it, not its revision: order is (epoch, position). */
export interface StoredEvent {
  readonly event: LogEvent;
  readonly streamSequence: number;
  /** As it was written, before a schema added defaults: what the digests are of. */
  readonly written: Uint8Array;
}

/** One project, folded from its whole chain. `state` belongs to the store: read it before the next await, never change it. */
export interface FoldedProject {
  readonly state: ProjectState;
  readonly head: LogPosition | null;
}

/** How far a follower is. Plain JSON: keep it beside what was made of the events, in one transaction. */
export interface FollowCheckpoint {
  readonly streamCreated: string;
  readonly streamSequence: number;
  /** Newest event taken of each project. */
  readonly heads: Readonly<Record<string, LogPosition>>;
}

/**
 * All events of all projects in stream order, each project's chain checked, across reconnects, restarts and a log restored from
 * its archive. Iterate once. Throws `EventUnreadable`, `LogForked` or `LogBehind` and ends: a follower never skips.
 */
export interface FollowedLog extends AsyncIterable<StoredEvent> {
  /** Where the event last given stands. */
  checkpoint(): FollowCheckpoint;
  /** Resolves when everything that was in the log at the start has been taken by the iterating side. */
  readonly caughtUp: Promise<void>;
  close(): Promise<void>;
}

export interface EventStore {
  /** The newest state, as of this call. Throws `LogUnavailable`. */
  project(name: string): Promise<FoldedProject>;
  /**
   * Carries a command out: one fact appended and synced, or a refusal. Safe to repeat with the same command id. Throws
   * `CommandRefused`, `WritesRefused`, `LogUnavailable` (nothing was written) or `LogOutcomeUnknown`.
   */
  handle(command: Command, meta: CommandMeta): Promise<Acknowledged>;
  /** Reads to what is the tail when it starts. `from`: first stream sequence. */
  read(options?: { readonly project?: string; readonly from?: number }): AsyncIterable<StoredEvent>;
  follow(options: { readonly from: FollowCheckpoint | null }): FollowedLog;
  /** Writes what it folded to disk and lets go. Does not close the streams it was given. */
  close(): Promise<void>;
}

/** Who else knows how far the log once was. Null: knows nothing of this project. One that throws stops writes until it answers. */
export interface WriteGuards {
  readonly archiveHead?: (project: string) => Promise<LogPosition | null>;
  /** `channels`: those that the log knows. See `flagsHeadReader`. */
  readonly flagsHead?: (
    project: string,
    channels: Iterable<string>,
  ) => Promise<{ readonly epoch: number; readonly position: number } | null>;
}
