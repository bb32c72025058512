import type { HeadgateOptions } from '@headgate/sdk';

/** To a process full of clients. */
export type ToClients =
  /** Opens `count` raw event streams, at most `atOnce` handshakes at a time. `ca`: over TLS, trusting this certificate. */
  | {
      readonly type: 'open';
      readonly url: string;
      readonly count: number;
      readonly atOnce: number;
      readonly ca?: string;
    }
  /** The first `count` of them read no more. */
  | { readonly type: 'stall'; readonly count: number }
  /** Those that do not read go away. */
  | { readonly type: 'drop-stalled' }
  | { readonly type: 'follow'; readonly options: Omit<HeadgateOptions, 'instanceId'>; readonly count: number }
  | { readonly type: 'close' };

/** From it. Times are of the monotonic clock, which processes of one machine share. */
export type FromClients =
  | { readonly type: 'open'; readonly openedMs: number }
  | { readonly type: 'stalled' }
  | { readonly type: 'dropped' }
  | { readonly type: 'following' }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly message: string }
  /** Every reading client of this process has the event with SSE id `id` in its hands. */
  | { readonly type: 'reached'; readonly url: string; readonly id: string; readonly lastAt: number };

/** To the bare server and back. */
export type ToBare = { readonly type: 'write'; readonly bytes: string };
export type FromBare = { readonly type: 'serving'; readonly url: string };

export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
