import type { LogPosition } from '@headgate/contracts';
import { LogUnavailable, WritesRefused } from './errors.js';
import type { WriteGuards } from './event-store.js';
import { describePosition, isAheadOf, type Witness } from './log-order.js';
import type { SeenHead } from './seen-head.js';

export interface Witnesses {
  readonly archive: LogPosition | null;
  readonly flags: Witness | null;
}

/** Asked before the log is: what a witness then knows must be in the log, however fast others write meanwhile. */
export const askWitnesses = async (
  guards: WriteGuards,
  project: string,
  channels: Iterable<string>,
): Promise<Witnesses> => {
  const [archive, flags] = await Promise.all([
    asking('the archive', guards.archiveHead?.(project)),
    asking('FLAGS', guards.flagsHead?.(project, channels)),
  ]);
  return { archive, flags };
};

/** Throws `WritesRefused` when the archive, FLAGS or this process knows of events that a log ending at `head` lacks. */
export const refuseBehind = (
  { archive, flags }: Witnesses,
  seen: SeenHead,
  log: { readonly project: string; readonly head: LogPosition | null },
): void => {
  const refuse = (name: string, witness: Witness): never => {
    throw new WritesRefused(
      `the log of ${log.project} ends at ${describePosition(log.head)}, but ${name} held ${describePosition(witness)}: run \`headgate doctor\`, then \`headgate log restore\``,
    );
  };
  if (archive !== null && isAheadOf(archive, log.head)) refuse('its archive', archive);
  if (flags !== null && isAheadOf(flags, log.head)) refuse('FLAGS', flags);
  const missing = seen.missingFrom(log.head);
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
