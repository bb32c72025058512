import type { LogPosition } from '@headgate/contracts';
import { LogUnavailable, WritesRefused } from './errors.js';
import type { WriteGuards } from './event-store.js';
import { describePosition, isAheadOf, type Witness } from './log-order.js';
import type { SeenHead } from './seen-head.js';

interface Asked {
  readonly project: string;
  /** Where the log ends. */
  readonly head: LogPosition | null;
  readonly channels: Iterable<string>;
  readonly guards: WriteGuards;
  readonly seen: SeenHead;
}

/** Throws `WritesRefused` when the archive, FLAGS or this process knows of events that the log lacks. */
export const askWitnesses = async ({ project, head, channels, guards, seen }: Asked): Promise<void> => {
  const refuse = (name: string, witness: Witness): never => {
    throw new WritesRefused(
      `the log of ${project} ends at ${describePosition(head)}, but ${name} held ${describePosition(witness)}: run \`headgate doctor\`, then \`headgate log restore\``,
    );
  };
  const [archive, flags] = await Promise.all([
    asking('the archive', guards.archiveHead?.(project)),
    asking('FLAGS', guards.flagsHead?.(project, channels)),
  ]);
  if (archive !== null && isAheadOf(archive, head)) refuse('its archive', archive);
  if (flags !== null && isAheadOf(flags, head)) refuse('FLAGS', flags);
  const missing = seen.missingFrom(head);
  if (missing !== null) refuse('this installation once', missing);
};

const asking = async <T>(whom: string, answer: Promise<T | null> | undefined): Promise<T | null> => {
  try {
    return (await answer) ?? null;
  } catch (cause) {
    throw new LogUnavailable(`cannot ask ${whom} how far the log once was: ${(cause as Error).message}`, {
      cause,
    });
  }
};
