/** How a follower stands between two attempts. */
export interface Standing {
  readonly way: 'stream' | 'poll';
  /** Attempts in a row, of either way, that brought nothing. */
  readonly failures: number;
  /** Polls among them since the last change of way. */
  readonly failedPolls: number;
  /** Streams in a row that ended as they do where something in between cannot carry them. */
  readonly suspicions: number;
  /** How often streams were given up in a row: each time it takes longer until one is tried again. */
  readonly timesGivenUp: number;
  /** While polling: when a stream is tried again. */
  readonly streamAgainAt: number;
}

export type Outcome =
  /** `good`: lasted. `impossible`: the answer was no event stream and will be none. `suspect`: opened and died, or never spoke. */
  | { readonly way: 'stream'; readonly result: 'good' | 'failed' | 'suspect' | 'impossible' }
  | { readonly way: 'poll'; readonly result: 'good' | 'failed' };

export interface Moment {
  readonly now: number;
  readonly random: () => number;
}

export const FIRST: Standing = {
  way: 'stream',
  failures: 0,
  failedPolls: 0,
  suspicions: 0,
  timesGivenUp: 0,
  streamAgainAt: 0,
};

const SUSPICIONS_TO_POLL = 3;
const FAILED_POLLS_TO_STREAM = 3;
const STREAM_AGAIN = { baseMs: 60_000, maxMs: 3_600_000 };

/**
 * Streams are the rule; polling is for where they cannot live: a proxy that buffers them, cuts them at once, or answers
 * something else. From there a stream is tried again after a minute, then after longer and longer.
 */
export const nextStanding = (standing: Standing, outcome: Outcome, moment: Moment): Standing =>
  outcome.way === 'stream'
    ? afterStream(standing, outcome.result, moment)
    : afterPoll(standing, outcome.result, moment);

const afterStream = (
  standing: Standing,
  result: 'good' | 'failed' | 'suspect' | 'impossible',
  moment: Moment,
): Standing => {
  // A good one's end is a first failure: the reconnect has to be spread as any other.
  if (result === 'good') return { ...FIRST, failures: 1 };
  const failures = standing.failures + 1;
  if (result === 'failed') return { ...standing, way: 'stream', failures };
  const suspicions = standing.suspicions + 1;
  if (result === 'suspect' && suspicions < SUSPICIONS_TO_POLL)
    return { ...standing, way: 'stream', failures, suspicions };
  const timesGivenUp = standing.timesGivenUp + 1;
  return {
    way: 'poll',
    failures,
    failedPolls: 0,
    // What was seen once more after all this is enough to poll again.
    suspicions: SUSPICIONS_TO_POLL - 1,
    timesGivenUp,
    streamAgainAt: moment.now + streamAgainMs(timesGivenUp, moment.random),
  };
};

const afterPoll = (standing: Standing, result: 'good' | 'failed', { now }: Moment): Standing => {
  if (result === 'good') {
    const way = now >= standing.streamAgainAt ? 'stream' : 'poll';
    return { ...standing, way, failures: 0, failedPolls: 0 };
  }
  const failures = standing.failures + 1;
  const failedPolls = standing.failedPolls + 1;
  return failedPolls < FAILED_POLLS_TO_STREAM
    ? { ...standing, way: 'poll', failures, failedPolls }
    : { ...standing, way: 'stream', failures, failedPolls: 0 };
};

/** Between half and one and a half of a time that doubles. */
const streamAgainMs = (times: number, random: () => number): number =>
  (0.5 + random()) * Math.min(STREAM_AGAIN.maxMs, STREAM_AGAIN.baseMs * 2 ** Math.min(times - 1, 10));
