import { ERRORS, type ErrorCode } from '@headgate/contracts';

/** A request that the edge will not pass on, before any domain code saw it. Becomes a problem with this code. */
export class RequestRefused extends Error {
  override readonly name: string = 'RequestRefused';
  readonly statusCode: number;
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
    this.statusCode = ERRORS[code].status;
  }
}

/** Outside data that no schema takes; `details` has one line per fault. */
export class InvalidInput extends RequestRefused {
  override readonly name = 'InvalidInput';
  constructor(
    message: string,
    readonly details: readonly string[] = [],
  ) {
    super('invalid-input', message);
  }
}

export class TooLarge extends RequestRefused {
  override readonly name = 'TooLarge';
  constructor(message: string) {
    super('body-too-large', message);
  }
}
