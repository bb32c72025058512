import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '@headgate/service-kit';

interface Restartable {
  restart(): Promise<void>;
  isRunning(): boolean;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/**
 * What to do when a server of ours ends without having been asked to: start it again on the same ports, with growing pauses, until
 * it runs or we close. The rest of the process keeps its connections and waits.
 */
export const keepRunning = (
  name: string,
  log: Log,
  closing: AbortSignal,
): { watch(server: Restartable): void; onExit(exit: unknown): void } => {
  let server: Restartable | null = null;
  let isRestarting = false;
  const bringBack = async (): Promise<void> => {
    for (let pauseMs = FIRST_PAUSE_MS; !closing.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await server?.restart();
        log.info('a server of ours is back', { server: name });
        return;
      } catch (cause) {
        log.error('a server of ours does not start', { server: name, error: cause });
        await wait(pauseMs, undefined, { signal: closing }).catch(() => undefined);
      }
    }
  };
  return {
    watch: (started) => {
      server = started;
    },
    onExit: (exit) => {
      if (closing.aborted || isRestarting) return;
      log.error('a server of ours ended by itself; starting it again', { server: name, exit });
      isRestarting = true;
      void bringBack().finally(() => {
        isRestarting = false;
        // It may have ended again between the restart and here.
        if (server && !server.isRunning() && !closing.aborted) void bringBack();
      });
    },
  };
};
