/** A stream of either kind that goes on until one side ends it. */
export interface LiveStream {
  /** Since when its client has not taken what it was sent; null while it has. */
  readonly stalledSince: number | null;
  keepAlive(): void;
  /** Ends it so that the client comes again, here or elsewhere. */
  shutDown(): void;
  /** Lets go of a client that does not read. */
  cut(): void;
}

/** Never OK: flagd's clients take that for the end of the stream and some of them do not open another. */
export const SHUTTING_DOWN = 'the gateway is shutting down; connect again';
