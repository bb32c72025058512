import { STREAMS } from '@headgate/contracts';
import type { StreamDeclaration, StreamDescription, Streams } from './streams.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const GIB = 1_073_741_824;

export interface InstallationOptions {
  /** Milliseconds since the Unix epoch; where the sequence numbers of a newly created LOG begin. */
  readonly now: number;
  readonly replicas?: number;
  readonly telemetryMaxBytes?: number;
  readonly telemetryMaxAgeMs?: number;
}

/** The streams of DESIGN.md §2. DISCLOSURES comes with federation. */
export const installationStreams = (options: InstallationOptions): readonly StreamDeclaration[] => {
  const replicas = options.replicas ?? 1;
  return [
    {
      name: STREAMS.log,
      subjects: ['hg.log.>'],
      description: 'The facts of this installation, for ever',
      whenFull: 'refuse',
      duplicateWindowMs: 2 * MINUTE_MS,
      maxMessageBytes: 262_144,
      denyDelete: true,
      denyPurge: true,
      replicas,
      // A LOG created anew never repeats a sequence of the one before it (we write far fewer than 1,000 messages a second), so
      // an append that expects a message of the lost stream can only fail.
      firstSequence: Math.max(1, options.now),
    },
    {
      name: STREAMS.flags,
      subjects: ['hg.flags.>'],
      description: 'Signed commits, snapshots and beats of our own channels',
      maxMessagesPerSubject: 1,
      whenFull: 'drop-oldest',
      duplicateWindowMs: 2 * MINUTE_MS,
      denyDelete: true,
      denyPurge: true,
      replicas,
    },
    {
      name: STREAMS.telemetry,
      subjects: ['hg.telemetry.*'],
      description: 'Packed reports; never leaves the site',
      maxBytes: options.telemetryMaxBytes ?? 4 * GIB,
      maxAgeMs: options.telemetryMaxAgeMs ?? 30 * DAY_MS,
      whenFull: 'drop-oldest',
      duplicateWindowMs: 2 * MINUTE_MS,
      denyDelete: false,
      denyPurge: false,
      replicas,
    },
    {
      name: STREAMS.deadLetters,
      subjects: ['hg.dlq.*'],
      description: 'What could not be handled, with the error',
      maxBytes: GIB,
      whenFull: 'drop-oldest',
      duplicateWindowMs: 2 * MINUTE_MS,
      denyDelete: false,
      denyPurge: false,
      replicas,
    },
  ];
};

/** Creates or checks every stream of this installation. Safe to call by many processes at once. */
export const declareInstallation = async (
  streams: Streams,
  options: InstallationOptions,
): Promise<readonly StreamDescription[]> => {
  const described: StreamDescription[] = [];
  for (const declaration of installationStreams(options)) described.push(await streams.declare(declaration));
  return described;
};
