/** To a process full of flagd.sync clients; each has a connection and a stream of its own. */
export type ToSyncClients =
  | { readonly type: 'open'; readonly url: string; readonly count: number }
  /** Ends every stream and opens it again on the same connection, as clients do every ten minutes. */
  | { readonly type: 'reopen'; readonly url: string }
  | { readonly type: 'close' };

/** From it. Times are of the monotonic clock, which processes of one machine share. */
export type FromSyncClients =
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly message: string }
  /** Every client of `url` in this process has its `nth` message since it was opened, whole. */
  | {
      readonly type: 'reached';
      readonly url: string;
      readonly nth: number;
      readonly bytes: number;
      readonly lastAt: number;
    };

/** To the bare server: the state that new streams get, and those that are open, at once. */
export type ToSyncBare = { readonly type: 'write'; readonly state: string };
export type FromSyncBare = { readonly type: 'serving'; readonly url: string };
export type SyncBareKind = 'http2' | 'grpc-js';

export const SYNC_FLAGS = '/flagd.sync.v1.FlagSyncService/SyncFlags';
