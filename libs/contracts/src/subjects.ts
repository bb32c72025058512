/** Every subject and stream name of DESIGN.md §2 and §3, in one place. Tokens must already be valid. */

export const STREAMS = {
  log: 'LOG',
  flags: 'FLAGS',
  telemetry: 'TELEMETRY',
  disclosures: 'DISCLOSURES',
  deadLetters: 'DLQ',
} as const;

export const COMMIT_RING = 1_024;

export const logSubject = (project: string, kind: string, aggregateId: string): string =>
  `hg.log.${project}.${kind}.${aggregateId}`;
export const projectLogFilter = (project: string): string => `hg.log.${project}.>`;

export const channelPrefix = (project: string, channel: string): string => `hg.flags.${project}.${channel}`;
export const channelFilter = (project: string, channel: string): string =>
  `${channelPrefix(project, channel)}.>`;
export const commitSubject = (project: string, channel: string, n: number): string =>
  `${channelPrefix(project, channel)}.c.${n % COMMIT_RING}`;
export const snapshotSubject = (project: string, channel: string, slot: 0 | 1, chunk: number): string =>
  `${channelPrefix(project, channel)}.s.${slot}.${chunk}`;
export const beatSubject = (project: string, channel: string): string =>
  `${channelPrefix(project, channel)}.beat`;
/** Signed root chain and targets, so that a mirror carries all that a reader with a pinned root needs. */
export const trustSubject = (project: string, channel: string): string =>
  `${channelPrefix(project, channel)}.trust`;

export const telemetrySubject = (project: string): string => `hg.telemetry.${project}`;
export const deadLetterSubject = (consumer: string): string => `hg.dlq.${consumer}`;
/** Not stored: the judge's looks as they happen, for people who watch. */
export const looksSubject = (project: string, rolloutId: string): string =>
  `hg.looks.${project}.${rolloutId}`;

/** Not stored: control asks analysis, which holds the telemetry, what a rollout could see. */
export const PLAN_QUESTIONS = 'hg.ask.plan';

/** Stream in which an installation keeps the mirror of the upstream called `root`. */
export const upstreamStream = (root: string): string => `UP_${root}`;
