import type { HeadgateOptions } from '@headgate/sdk';

/** To a process full of clients. */
export type ToClients =
  | { readonly type: 'follow'; readonly options: Omit<HeadgateOptions, 'instanceId'>; readonly count: number }
  | {
      readonly type: 'follow-floor';
      readonly url: string;
      readonly count: number;
      /** PEM of the key that signs the floor's messages. */
      readonly publicKey: string;
    }
  | { readonly type: 'leave' };

/** From it. Times are of the monotonic clock, which processes of one machine share. */
export type FromClients =
  | { readonly type: 'following' }
  | { readonly type: 'left' }
  | { readonly type: 'failed'; readonly message: string }
  /** Every client of this process has been called back for `number`: a position, or a message of the floor. */
  | {
      readonly type: 'reached';
      readonly of: 'sdk' | 'floor';
      readonly number: number;
      readonly at: readonly number[];
    };

export type ToFloor = {
  readonly type: 'serve';
  readonly natsUrl: string;
  readonly stream: string;
  readonly clients: number;
};
export type FromFloor = { readonly type: 'serving'; readonly url: string };

export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
