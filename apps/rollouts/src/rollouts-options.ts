import type { EventStore } from '@headgate/event-store';

export const ROLLOUTS_OPTIONS = Symbol('rollouts options');

export interface RolloutsOptions {
  readonly store: Pick<EventStore, 'follow' | 'project' | 'handle'>;
  /** Waits between a failed try and the next. The reactor decides nothing by time. */
  readonly pause?: (signal: AbortSignal) => Promise<void>;
}
