/** Codes of OFREP's `evaluationFailure`, and that of `flagNotFound`. */
export type OfrepErrorCode =
  | 'PARSE_ERROR'
  | 'TARGETING_KEY_MISSING'
  | 'INVALID_CONTEXT'
  | 'GENERAL'
  | 'FLAG_NOT_FOUND';

/** A request that gets no evaluation, in OFREP's shape. */
export class OfrepRefused extends Error {
  override readonly name = 'OfrepRefused';

  constructor(
    readonly status: 400 | 401 | 403 | 404 | 429 | 503,
    /** Null where OFREP has details at most. */
    readonly errorCode: OfrepErrorCode | null,
    message: string,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}
