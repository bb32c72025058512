import type { Acknowledged } from '@headgate/contracts';
import { CommandRefused } from '@headgate/domain';
import { PublishRefused, StreamMismatch } from '@headgate/streams';
import { ConcurrencyError, LogOutcomeUnknown, LogUnavailable } from './errors.js';
import type { ProjectChain } from './project-chain.js';

export interface Patience {
  /** How long one call may take when the log is away or contended. */
  readonly patienceMs: number;
  /** 0 to 1: spreads the tries of processes that met each other. */
  readonly random: () => number;
}

const MAX_TRIES = 200;
const FIRST_WAIT_MS = 2;
const LONGEST_CONTENTION_WAIT_MS = 64;
const LONGEST_OUTAGE_WAIT_MS = 500;

/**
 * Tries until there is an answer that will stay true. Each try runs alone in the chain's queue; waiting does not hold the
 * queue, so that commands behind this one meet the same outage at the same time and not one after the other.
 */
export const insist = async (
  chain: ProjectChain,
  attempt: () => Promise<Acknowledged>,
  { patienceMs, random, urgent }: Patience & { readonly urgent: boolean },
): Promise<Acknowledged> => {
  const deadline = performance.now() + patienceMs;
  const sent = new Set<string>();
  let open: { readonly error: LogOutcomeUnknown; readonly expected: number } | null = null;
  let mustRefresh = false;
  const tryOnce = async (): Promise<Acknowledged | null> => {
    let isFresh = false;
    try {
      // It waited behind an outage for as long as it may take in all.
      if (performance.now() > deadline)
        throw new LogUnavailable(`the log of ${chain.project} did not get to this command in time`);
      if (mustRefresh) {
        await chain.refresh();
        isFresh = true;
        // Something was stored since: what we sent is among it, or can no longer be stored.
        if (open !== null && chain.expects !== open.expected) open = null;
      }
      const answer = await attempt();
      // Found in the tail, but put there by this very call: its first answer, only late.
      return sent.has(answer.hash) ? { ...answer, repeated: false } : answer;
    } catch (error) {
      if (error instanceof LogOutcomeUnknown) {
        sent.add(error.eventHash);
        open = { error, expected: chain.expects };
      } else if (error instanceof CommandRefused) {
        // Refused on what may be an old fold: look at the newest before saying no.
        if (isFresh) throw open?.error ?? error;
      } else if (!(error instanceof ConcurrencyError) && !mayPass(error)) throw open?.error ?? error;
      if (performance.now() > deadline) throw open?.error ?? asUnavailable(error);
      mustRefresh = true;
      lastError = error;
      return null;
    }
  };
  let lastError: unknown = null;
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const answer = await chain.queue.run(tryOnce, { urgent });
    if (answer !== null) return answer;
    await wait(lastError, tries, random);
  }
  throw (open as { error: LogOutcomeUnknown } | null)?.error ?? asUnavailable(lastError);
};

/** An outage passes; a right that is missing or a stream that is full does not. */
const mayPass = (error: unknown): boolean =>
  error instanceof LogUnavailable &&
  !(error.cause instanceof PublishRefused) &&
  !(error.cause instanceof StreamMismatch);

const asUnavailable = (error: unknown): unknown =>
  error instanceof ConcurrencyError
    ? new LogUnavailable('others append to this project faster than we can: try again', { cause: error })
    : error;

const wait = (error: unknown, tries: number, random: () => number): Promise<void> | undefined => {
  if (error instanceof CommandRefused || error instanceof LogOutcomeUnknown) return undefined;
  const longest = error instanceof ConcurrencyError ? LONGEST_CONTENTION_WAIT_MS : LONGEST_OUTAGE_WAIT_MS;
  const upTo = Math.min(longest, FIRST_WAIT_MS * 2 ** tries);
  return new Promise((resolve) => setTimeout(resolve, upTo * (0.5 + random() / 2)));
};
