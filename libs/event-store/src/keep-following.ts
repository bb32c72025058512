import { LogForked } from './errors.js';
import type { EventStore, FollowCheckpoint, FollowedLog, StoredEvent } from './event-store.js';

export interface KeepFollowing {
  readonly store: Pick<EventStore, 'follow'>;
  /** Ends the following. */
  readonly signal: AbortSignal;
  readonly onEvent: (stored: StoredEvent) => void;
  /** The log has been read to what was its end at this start; once per start. */
  readonly onCaughtUp?: () => void;
  readonly onFault: (cause: unknown) => void;
  /** Between a fault and the next try. */
  readonly pause: (signal: AbortSignal) => Promise<void>;
}

/** Follows the whole log until `signal`, and takes up again where it stood after every fault; resolves then. */
export const keepFollowing = async (options: KeepFollowing): Promise<void> => {
  const { store, signal, onEvent, onCaughtUp, onFault, pause } = options;
  let checkpoint: FollowCheckpoint | null = null;
  while (!signal.aborted) {
    let followed: FollowedLog | undefined;
    const close = (): void => void followed?.close();
    try {
      followed = store.follow({ from: checkpoint });
      signal.addEventListener('abort', close, { once: true });
      followed.caughtUp.then(
        () => onCaughtUp?.(),
        () => undefined,
      );
      for await (const stored of followed) {
        if (signal.aborted) break;
        onEvent(stored);
        checkpoint = followed.checkpoint();
      }
    } catch (cause) {
      // Another history than the one read: what was learnt from it counts no more.
      if (cause instanceof LogForked) checkpoint = null;
      if (!signal.aborted) onFault(cause);
    } finally {
      signal.removeEventListener('abort', close);
    }
    if (!signal.aborted) await pause(signal);
  }
};
