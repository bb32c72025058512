import type { JsonValue, JudgePolicy, MetricDefinition } from '@headgate/contracts';
import type { EventStore } from '@headgate/event-store';
import type { Database } from '@headgate/read-model';
import type { Streams } from '@headgate/streams';
import type { OperationReport } from './api/schemas.js';

export const CONTROL_PARTS = Symbol('CONTROL_PARTS');

/** What control needs and does not make itself. */
export interface ControlParts {
  readonly store: EventStore;
  /** For the judge's looks, which are not stored; without it `/watch` shows rollouts only. */
  readonly streams?: Pick<Streams, 'subscribeCore'>;
  /** The read model; without it reads are answered from the fold that deciders use. */
  readonly database?: Database;
  readonly now: () => number;
  /** UUIDv7. */
  readonly newId: () => string;
  readonly random: (bytes: number) => Buffer;
  /** Done by analysis, which holds the telemetry. */
  readonly previewPlan?: (request: PlanRequest) => Promise<JsonValue>;
  readonly operations?: Operations;
}

export interface PlanRequest {
  readonly project: string;
  readonly channel: string;
  readonly flagId: string;
  readonly flagKey: string;
  readonly policy: JudgePolicy;
  readonly metrics: readonly MetricDefinition[];
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
