import type { InstanceTally } from '../fleet/messages.js';
import type { Api } from './api.js';
import { CHANNEL, PROJECT } from './settings.js';

/** Milliseconds from sending the kill, over every instance of both installations. */
export interface KillResult {
  readonly instances: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly acknowledgedMs: number;
  /** Until each instance's SDK had switched: no request can go through the path after that. */
  readonly switched: {
    readonly instances: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly maxMs: number;
  };
}

const QUIET_MS = 1_500;
const TIMEOUT_MS = 20_000;

/** Throws the kill switch and waits until every instance says it is off and traffic has gone on without the path for a while. */
export const throwKill = async (
  api: Api,
  flag: string,
  tallies: () => Promise<readonly InstanceTally[]>,
): Promise<KillResult> => {
  const sentAt = Date.now();
  await api.post(`/v1/projects/${PROJECT}/channels/${CHANNEL}/flags/${flag}/kill`, {
    why: 'demo: the switch must work',
  });
  const acknowledgedMs = Date.now() - sentAt;
  const deadline = sentAt + TIMEOUT_MS;
  let seen = await tallies();
  const isOff = (tally: InstanceTally): boolean => (tally.switchedOff[flag] ?? 0) >= sentAt;
  while (Date.now() < deadline && !(seen.every(isOff) && Date.now() > sentAt + QUIET_MS)) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    seen = await tallies();
  }
  const last = seen.map((tally) => Math.max(0, (tally.lastServed[flag] ?? sentAt) - sentAt));
  const switched = seen.filter(isOff).map((tally) => tally.switchedOff[flag]! - sentAt);
  return {
    instances: seen.length,
    ...quantiles(last),
    acknowledgedMs,
    switched: { instances: switched.length, ...quantiles(switched) },
  };
};

const quantiles = (values: readonly number[]): { p50Ms: number; p99Ms: number; maxMs: number } => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? Number.NaN };
};
