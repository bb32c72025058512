/**
 * Who served a variant: an instance's own SDK, a gateway that was asked for this flag, or a gateway that handed out all flags of
 * a channel, of which the caller used some.
 */
export const USAGE_SOURCES = ['instance', 'gateway', 'list'] as const;
export type UsageSource = (typeof USAGE_SOURCES)[number];

/** What one process says of its use of flags: totals since `bootId` began. */
export interface UsageReport {
  readonly project: string;
  readonly channel: string;
  /** 64 hex digits that look random: they are hashes. */
  readonly instance: string;
  readonly bootId: string;
  readonly seq: number;
  /** When it was received; never comes from the report. */
  readonly at: number;
  readonly served: readonly ServedTotal[];
  readonly unknownFlags: readonly string[];
}

export interface ServedTotal {
  readonly source: UsageSource;
  readonly flag: string;
  /** '' for the default in the code. */
  readonly variant: string;
  /** 0: served, nobody counted how often. */
  readonly count: number;
}

/** How far TELEMETRY is counted. */
export interface UsageCheckpoint {
  readonly streamCreated: string;
  readonly streamSequence: number;
  /** When the newest counted message was received. */
  readonly receivedAt: number;
}
