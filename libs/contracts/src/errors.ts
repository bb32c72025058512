/**
 * Every error a caller can meet, once: its code, HTTP status and CLI exit code, and what to do next. Domain code refuses with
 * a code from here; only edges look at `status` and `exit`.
 */
export const ERRORS = {
  'invalid-input': { status: 400, exit: 4, next: 'Mend the named field and send it again.' },
  'body-too-large': { status: 413, exit: 4, next: 'Send less at once.' },
  unauthenticated: { status: 401, exit: 5, next: 'Pass a token: HEADGATE_TOKEN, or Authorization: Bearer.' },
  forbidden: { status: 403, exit: 5, next: 'Use a token whose role and project allow this.' },
  'not-found': { status: 404, exit: 6, next: 'Check the name; list what exists.' },
  'already-exists': { status: 409, exit: 6, next: 'Choose another name, or use the one that exists.' },
  'command-id-reused': { status: 409, exit: 6, next: 'Use a new command id for a different command.' },
  'base-moved': { status: 409, exit: 6, next: 'Read the newest state and decide again.' },
  'project-unknown': { status: 404, exit: 6, next: 'Create the project first.' },
  'channel-unknown': { status: 404, exit: 6, next: 'Create the channel first.' },
  'flag-archived': { status: 409, exit: 6, next: 'Create a new flag.' },
  'flag-already-killed': {
    status: 409,
    exit: 6,
    next: 'Nothing to do; lift the kill to use the flag again.',
  },
  'flag-not-killed': { status: 409, exit: 6, next: 'Nothing to do.' },
  'flag-killed': { status: 409, exit: 6, next: 'Lift the kill first.' },
  'flag-in-rollout': { status: 409, exit: 6, next: 'Abort the rollout or wait for its end.' },
  'segment-invalid': { status: 422, exit: 4, next: 'Mend the condition.' },
  'segment-in-use': {
    status: 409,
    exit: 6,
    next: 'Take the segment out of the rules of the flags that the message names first.',
  },
  'flag-needed': { status: 409, exit: 6, next: 'Change the flags that the message names first.' },
  'channel-full': {
    status: 422,
    exit: 4,
    next: 'Archive flags that nobody needs, make rules smaller, or part the flags over two channels.',
  },
  'flag-invalid': { status: 422, exit: 4, next: 'Mend the flag definition.' },
  'rollout-ended': { status: 409, exit: 6, next: 'Start a new rollout.' },
  'rollout-not-there-yet': { status: 409, exit: 6, next: 'Wait for the state that the message names.' },
  'verdict-does-not-allow': {
    status: 409,
    exit: 7,
    next: 'Only the judge promotes; see `headgate rollout why`.',
  },
  'policy-invalid': { status: 422, exit: 4, next: 'Mend the policy.' },
  'token-revoked': { status: 409, exit: 6, next: 'Nothing to do.' },
  'writes-refused': {
    status: 503,
    exit: 1,
    next: 'The log is behind its archive or FLAGS: run `headgate doctor`, then `headgate log restore`.',
  },
  'log-unavailable': {
    status: 503,
    exit: 9,
    next: 'nats-server is away; the command was not acknowledged. Try again.',
  },
  'outcome-unknown': {
    status: 503,
    exit: 9,
    next: 'It may or may not have been written. Repeat it with the same command id.',
  },
  'read-model-behind': {
    status: 503,
    exit: 9,
    next: 'Postgres or the projector is away or behind; try again.',
  },
  'analysis-unavailable': {
    status: 503,
    exit: 9,
    next: 'Start the analysis service, or look at its log; then try again.',
  },
  'too-many-requests': { status: 429, exit: 9, next: 'Slow down; see Retry-After.' },
  internal: { status: 500, exit: 1, next: 'See the server log for this correlation id.' },
} as const;

export type ErrorCode = keyof typeof ERRORS;
