import type { ErrorCode } from '@headgate/contracts';

/** A command the domain will not carry out: an answer, not a bug. `message` says what and where, `details` each place. */
export class CommandRefused extends Error {
  override readonly name = 'CommandRefused';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: readonly string[] = [],
  ) {
    super(message);
  }
}
