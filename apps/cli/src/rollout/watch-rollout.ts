import { setTimeout as wait } from 'node:timers/promises';
import { type LookView, lookView, type RolloutView, rolloutView } from '@headgate/contracts';
import { asFailure, Transient } from '../api/client.js';
import { serverEvents } from '../api/server-events.js';
import { CommandFailed, EXIT } from '../exit.js';
import type { Session } from '../session.js';
import { say } from '../terminal.js';

export interface Watcher {
  readonly onRollout: (rollout: RolloutView) => void;
  readonly onLook: (look: LookView) => void;
}

const PATIENCE_MS = 60_000;
const PAUSE_MS = 1_000;

/**
 * Follows a rollout until it ends and returns how. Connects again when the stream breaks; gives up after a minute without the
 * server, on `until`, or when the server refuses.
 */
export const watchRollout = async (
  session: Session,
  path: readonly string[],
  watcher: Watcher,
  until: AbortSignal = new AbortController().signal,
): Promise<RolloutView> => {
  const { client, terminal, settings } = session;
  let lastHeardAt = terminal.now();
  let isSilent = false;
  for (;;) {
    try {
      for await (const { event, data } of serverEvents(await client.open([...path, 'watch'], until))) {
        lastHeardAt = terminal.now();
        isSilent = false;
        const ended = takeEvent(event, data, watcher);
        if (ended) return ended;
      }
    } catch (cause) {
      if (until.aborted && !terminal.interrupted.aborted)
        throw new CommandFailed(EXIT.timeout, 'timed out', 'Wait longer: --timeout.');
      const failure = asFailure(cause, settings.server(), terminal);
      if (!(failure instanceof Transient) || terminal.now() - lastHeardAt > PATIENCE_MS) throw failure;
    }
    if (!isSilent) say(terminal, 'connection lost; trying again');
    isSilent = true;
    await wait(PAUSE_MS, undefined, { signal: AbortSignal.any([until, terminal.interrupted]) }).catch(
      () => undefined,
    );
  }
};

const takeEvent = (event: string, data: string, watcher: Watcher): RolloutView | null => {
  if (event === 'look') {
    const look = lookView.safeParse(JSON.parse(data));
    if (look.success) watcher.onLook(look.data);
    return null;
  }
  if (event !== 'rollout') return null;
  const rollout = rolloutView.parse(JSON.parse(data));
  watcher.onRollout(rollout);
  return rollout.endedAt === null ? null : rollout;
};
