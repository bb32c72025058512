import type { Bearers } from '@headgate/service-kit';
import type { AppendTelemetry, PackerLimits } from './reports/report-packer.js';

export const COLLECTOR_OPTIONS = Symbol('collector options');

export interface CollectorOptions {
  readonly append: AppendTelemetry;
  readonly bearers: Bearers;
  /** Stamps packs with the time of receipt; reports' own times are never trusted. */
  readonly clock: () => number;
  readonly limits?: Partial<PackerLimits>;
  readonly maxRequestsInFlight?: number;
}
