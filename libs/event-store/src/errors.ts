import type { ErrorCode } from '@headgate/contracts';

/** What an event store throws beside `CommandRefused`. `code` is of the table of errors; only edges look up its status. */
export abstract class EventStoreError extends Error {
  abstract readonly code: ErrorCode;
}

/** Somebody else appended to the project first. Stays inside: commands are decided anew on what was appended. */
export class ConcurrencyError extends EventStoreError {
  override readonly name = 'ConcurrencyError';
  readonly code = 'log-unavailable';
}

/** The log cannot be reached or is too busy. Nothing was written. */
export class LogUnavailable extends EventStoreError {
  override readonly name = 'LogUnavailable';
  readonly code = 'log-unavailable';
}

/** The event may or may not have been written, and the log does not say. The same command id makes a repeat safe. */
export class LogOutcomeUnknown extends EventStoreError {
  override readonly name = 'LogOutcomeUnknown';
  readonly code = 'outcome-unknown';
  constructor(
    message: string,
    /** Of the event that may be there. */
    readonly eventHash: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The log ends before what its archive, its FLAGS or this process has seen of it: writing would fork history. */
export class WritesRefused extends EventStoreError {
  override readonly name = 'WritesRefused';
  readonly code = 'writes-refused';
}

/** An event that this release cannot take in: nobody may go past it. */
export class EventUnreadable extends EventStoreError {
  override readonly name = 'EventUnreadable';
  readonly code = 'internal';
  constructor(
    readonly streamSequence: number,
    readonly project: string,
    readonly position: number | null,
    why: string,
    options?: ErrorOptions,
  ) {
    super(
      `event at stream sequence ${streamSequence}, project ${project}, position ${position ?? 'unknown'}: ${why}`,
      options,
    );
  }
}

/** The log tells another story than the one this follower has taken in. Only a rebuild from the log helps. */
export class LogForked extends EventStoreError {
  override readonly name = 'LogForked';
  readonly code = 'internal';
}

/** The log ends before what this follower has taken in. */
export class LogBehind extends EventStoreError {
  override readonly name = 'LogBehind';
  readonly code = 'writes-refused';
}
