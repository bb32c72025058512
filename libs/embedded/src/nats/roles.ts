import { deadLetterSubject, PLAN_QUESTIONS, STREAMS, upstreamStream } from '@headgate/contracts';

/**
 * Who may do what inside account `HG`: one user per role, each with the subjects its job needs and no more. Exactly three
 * roles may write the log, one may write flags, one may write telemetry (DESIGN.md §2).
 */
export const NATS_ROLES = [
  'admin',
  'control',
  'rollouts',
  'analysis',
  'publisher',
  'projector',
  'gateway',
  'collector',
  'notifier',
] as const;

export type NatsRole = (typeof NATS_ROLES)[number];

/** The user of account `SYS`, for `headgate doctor`: reads the server's effective configuration, sees no message. */
export const SYSTEM_USER = 'system';

export type NatsUser = NatsRole | typeof SYSTEM_USER;

export const NATS_USERS: readonly NatsUser[] = [...NATS_ROLES, SYSTEM_USER];

export interface Permissions {
  readonly publish: { readonly allow: readonly string[]; readonly deny?: readonly string[] };
  readonly subscribe: { readonly allow: readonly string[] };
  /** May answer whoever asked it, once per question, and only for so long. */
  readonly allow_responses?: { readonly max: number; readonly expires: string };
}

/** What the permissions of an installation depend on: the mirrors it holds, and the consumers that feed others' mirrors. */
export interface Surroundings {
  readonly roots: readonly string[];
  readonly mirrorConsumers: readonly { readonly stream: string; readonly consumer: string }[];
}

interface Job {
  /** Subjects of facts this role may write. */
  readonly writes?: readonly string[];
  /** Streams it may read: ordered consumers, direct get, stream info. */
  readonly reads?: readonly string[];
  /** Streams it works through with a durable consumer, acknowledging each message. */
  readonly acknowledges?: readonly string[];
  /** Subjects that are not stored, for people who watch. */
  readonly hears?: readonly string[];
  /** Subjects on which it may ask another service, and on which it answers. */
  readonly asks?: readonly string[];
  readonly answers?: readonly string[];
}

const LOG_SUBJECTS = 'hg.log.>';
const FLAG_SUBJECTS = 'hg.flags.>';
const TELEMETRY_SUBJECTS = 'hg.telemetry.>';
const DEAD_LETTER_SUBJECTS = 'hg.dlq.>';
const LOOK_SUBJECTS = 'hg.looks.>';
const ANSWER_WITHIN = '2m';

/** Inbox of one role: a shared one would let every role read the answers to every other. */
export const inboxPrefix = (user: NatsUser): string => `_INBOX.${user}`;

/** Permissions of one role; `undefined` for `system`, which account SYS confines. */
export function permissionsOf(user: NatsUser, surroundings: Surroundings): Permissions | undefined {
  if (user === SYSTEM_USER) return undefined;
  const inbox = `${inboxPrefix(user)}.>`;
  if (user === 'admin') {
    return { publish: { allow: ['$JS.API.>', '$JS.ACK.>', '$JS.FC.>'] }, subscribe: { allow: [inbox] } };
  }
  const job = jobOf(user, surroundings.roots.map(upstreamStream));
  const reads = job.reads ?? [];
  const acknowledges = job.acknowledges ?? [];
  const protectedConsumers = surroundings.mirrorConsumers.filter(({ stream }) => reads.includes(stream));
  return {
    publish: {
      allow: [
        ...(job.writes ?? []),
        ...(job.asks ?? []),
        '$JS.API.INFO',
        '$JS.API.STREAM.NAMES',
        ...(reads.length === 0 ? ['$JS.API.STREAM.INFO.*'] : reads.flatMap(readSubjects)),
        ...acknowledges.map((stream) => `$JS.ACK.${stream}.>`),
      ],
      ...(protectedConsumers.length > 0 && {
        deny: protectedConsumers.flatMap(({ stream, consumer }) => consumerSubjects(stream, consumer)),
      }),
    },
    subscribe: { allow: [inbox, ...(job.hears ?? []), ...(job.answers ?? []).flatMap(asOneOfSeveral)] },
    ...(job.answers ? { allow_responses: { max: 1, expires: ANSWER_WITHIN } } : {}),
  };
}

/** Only as a member of the one queue group: a plain subscription would hear every question beside the one that answers it. */
const asOneOfSeveral = (subject: string): readonly string[] => [`${subject} ${subject}`];

function jobOf(role: Exclude<NatsRole, 'admin'>, mirrors: readonly string[]): Job {
  const { log, flags, telemetry } = STREAMS;
  switch (role) {
    case 'control':
      return {
        writes: [LOG_SUBJECTS],
        reads: [log, flags],
        hears: [LOOK_SUBJECTS],
        asks: [PLAN_QUESTIONS],
      };
    case 'rollouts':
      return { writes: [LOG_SUBJECTS], reads: [log, flags], hears: [LOOK_SUBJECTS] };
    case 'analysis':
      return {
        writes: [LOG_SUBJECTS, LOOK_SUBJECTS, DEAD_LETTER_SUBJECTS],
        reads: [log, flags, telemetry],
        acknowledges: [telemetry],
        answers: [PLAN_QUESTIONS],
      };
    case 'publisher':
      return { writes: [FLAG_SUBJECTS], reads: [log, flags] };
    case 'projector':
      // Reports for the use of flags; what of them cannot be read goes to its own dead letters and to nobody else's.
      return { writes: [deadLetterSubject('usage')], reads: [log, telemetry] };
    case 'gateway':
      return { reads: [flags, ...mirrors] };
    case 'collector':
      return { writes: [TELEMETRY_SUBJECTS] };
    case 'notifier':
      return { writes: [DEAD_LETTER_SUBJECTS], reads: [log], acknowledges: [log] };
  }
}

function readSubjects(stream: string): string[] {
  return [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}.>`,
    ...consumerSubjects(stream, '*'),
  ];
}

function consumerSubjects(stream: string, consumer: string): string[] {
  return [
    `$JS.API.CONSUMER.CREATE.${stream}.${consumer}`,
    `$JS.API.CONSUMER.CREATE.${stream}.${consumer}.>`,
    `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
    `$JS.API.CONSUMER.DELETE.${stream}.${consumer}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
    `$JS.FC.${stream}.${consumer}.>`,
  ];
}
