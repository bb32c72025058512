import type { EventStore } from '@headgate/event-store';
import type { Database } from '@headgate/read-model';
import type { Streams } from '@headgate/streams';
import type { OperationReport } from './api/schemas.js';

export const CONTROL_PARTS = Symbol('CONTROL_PARTS');

/** What control needs and does not make itself. */
export interface ControlParts {
  readonly store: EventStore;
  /** For the judge's looks, which are not stored, and its plans; without it `/watch` shows rollouts only. */
  readonly streams?: Pick<Streams, 'subscribeCore' | 'ask'>;
  /** The read model; without it reads are answered from the fold that deciders use, and a flag's health goes by the calendar. */
  readonly database?: Database;
  readonly now: () => number;
  /** UUIDv7. */
  readonly newId: () => string;
  readonly random: (bytes: number) => Buffer;
  readonly operations?: Operations;
}

/** What an administrator may ask of the whole installation; each is there where the process holds what it needs. */
export interface Operations {
  readonly verifyLog?: () => Promise<OperationReport>;
  readonly doctor?: () => Promise<OperationReport>;
  readonly restoreLog?: () => Promise<OperationReport>;
  readonly rebuildProjection?: () => Promise<OperationReport>;
  readonly addVendor?: (vendor: {
    readonly name: string;
    readonly by: string;
  }) => Promise<Record<string, unknown>>;
}
