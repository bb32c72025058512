import type { FlagValue } from './flags/resolve-details.js';
import type { FlagDetails, Headgate, HeadgateStatus } from './headgate.js';

/** What an application gets whose options are of no use: its own defaults, and the reason. Touches no network and no disk. */
export const inertHeadgate = (at: number, message: string): Headgate => {
  const status: HeadgateStatus = {
    connection: 'off',
    flags: 'none',
    head: null,
    freshness: { status: 'never', ageMs: null, skewMs: 0 },
    telemetry: {
      isOn: false,
      instance: null,
      bootId: null,
      accepted: 0,
      lastAcceptedAt: null,
      dropped: { reports: 0, exposures: 0, unknownFlags: 0 },
    },
    problems: [{ at, code: 'options-wrong', message }],
    problemCount: 1,
  };
  const details = <T extends FlagValue>(_key: string, fallback: T): FlagDetails<T> => ({
    value: fallback,
    reason: 'ERROR',
    stale: false,
    ageMs: null,
    metadata: {},
    error: { code: 'PROVIDER_NOT_READY', message },
  });
  return {
    boolean: (_key, fallback) => fallback,
    string: (_key, fallback) => fallback,
    number: (_key, fallback) => fallback,
    object: (_key, fallback) => fallback,
    details,
    on: () => () => {},
    counter: () => ({ add: () => {} }),
    gauge: () => ({ set: () => {} }),
    event: () => {},
    health: () => {},
    crashed: () => {},
    ready: () => Promise.resolve(false),
    status: () => status,
    close: () => Promise.resolve(),
  };
};
