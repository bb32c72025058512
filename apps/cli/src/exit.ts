import { ERRORS, type ErrorCode } from '@headgate/contracts';

/** Exit codes of the command line; those of refused requests are in contracts' table of errors. */
export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  drift: 3,
  invalid: 4,
  notAllowed: 5,
  notFoundOrConflict: 6,
  rolloutFailed: 7,
  timeout: 8,
  unreachable: 9,
  interrupted: 130,
} as const;

/** Ends the command with a message, a next step and an exit code. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  constructor(
    readonly exit: number,
    message: string,
    readonly next: string,
    readonly details: readonly string[] = [],
  ) {
    super(message);
  }
}

export const usageError = (message: string, next: string): CommandFailed =>
  new CommandFailed(EXIT.usage, message, next);

/** A server newer than this command line may know codes that we do not: then its status decides. */
export const exitOf = (code: string, status: number): number => {
  if (Object.hasOwn(ERRORS, code)) return ERRORS[code as ErrorCode].exit;
  if (status === 401 || status === 403) return EXIT.notAllowed;
  if (status === 404 || status === 409) return EXIT.notFoundOrConflict;
  if (status === 429 || status === 503) return EXIT.unreachable;
  return status >= 400 && status < 500 ? EXIT.invalid : EXIT.unexpected;
};
