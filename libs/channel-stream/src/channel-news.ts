import type { Beat, Change, ChannelState, Commit, TrustBundle } from '@headgate/contracts';
import type { RefusalCode } from '@headgate/trust';

/** What was just verified, in order. `changed`: what `reader.state` serves differently since. */
export type ChannelNews =
  /** The first state, or one that does not follow commit by commit from the one before. */
  | { readonly type: 'state'; readonly state: ChannelState; readonly changed: readonly Change[] }
  | { readonly type: 'commit'; readonly commit: Commit; readonly changed: readonly Change[] }
  | { readonly type: 'beat'; readonly beat: Beat; readonly changed: readonly Change[] }
  | { readonly type: 'trust'; readonly trust: TrustBundle; readonly changed: readonly Change[] };

/** A message that the verifier would not take; the state stands. */
export interface RefusedMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly code: RefusalCode;
  readonly message: string;
}
