import type { LogPosition } from '@headgate/contracts';

/** How far somebody has seen a project's log. FLAGS knows no hash. */
export interface Witness {
  readonly epoch: number;
  readonly position: number;
  readonly hash?: string;
}

/**
 * Whether writing behind `log` would fork what the witness has seen. A log of a later epoch was
 * restored on purpose: what it then lacks was given up, or adopted again, by whoever raised the epoch.
 */
export const isAheadOf = (witness: Witness | null, log: LogPosition | null): boolean => {
  if (witness === null) return false;
  if (log === null) return true;
  if (log.epoch > witness.epoch) return false;
  // A channel's epoch may also have been raised for a new key: FLAGS alone says nothing about the log's.
  if (log.epoch < witness.epoch && witness.hash !== undefined) return true;
  if (log.position < witness.position) return true;
  return log.position === witness.position && witness.hash !== undefined && witness.hash !== log.hash;
};

export const describePosition = (position: Witness | null): string =>
  position === null
    ? 'nothing'
    : `epoch ${position.epoch}, position ${position.position}${position.hash ? `, hash ${position.hash.slice(0, 12)}…` : ''}`;
