import type { Change, FlagDocument } from '@headgate/contracts';
import { checkChange } from '@headgate/trust';
import type { ProjectFold } from '../log/project-fold.js';

/** A flag whose document cannot be published as the log has it. */
export interface Withheld {
  readonly flagId: string;
  readonly key: string;
  readonly cause: string;
  /** Its kill goes out all the same, on the document that is in force. */
  readonly isKilled: boolean;
}

export interface SortedOut {
  readonly changes: readonly Change[];
  readonly withheld: readonly Withheld[];
}

/**
 * The documents that these flags have now, without those that no commit can carry: one of them must not keep the others, and
 * least of all a kill, from the readers. `held`: what the channel says now.
 */
export const sortOut = (
  fold: ProjectFold,
  channel: string,
  flagIds: Iterable<string>,
  held: ReadonlyMap<string, FlagDocument>,
): SortedOut => {
  const changes: Change[] = [];
  const withheld: Withheld[] = [];
  const documentOf = fold.documents(channel);
  for (const flagId of flagIds) {
    try {
      const made = { flagId, doc: documentOf(flagId) };
      checkChange(made);
      changes.push(made);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      const flag = fold.flag(flagId);
      withheld.push({ flagId, key: flag?.key ?? flagId, cause, isKilled: flag?.status === 'killed' });
      const inForce = held.get(flagId);
      if (flag?.status === 'killed' && inForce !== undefined) changes.push(killOn(inForce, flag));
    }
  }
  return { changes, withheld };
};

/** What readers have, switched off. If even that cannot be said, the flag is taken away: the code's default is served as well. */
const killOn = (
  inForce: FlagDocument,
  flag: Pick<FlagDocument, 'why' | 'epoch' | 'position'> & {
    readonly killed: NonNullable<FlagDocument['killed']>;
  },
): Change => {
  const { killed, why, epoch, position } = flag;
  const { flagId } = inForce;
  const mark = { killed: { at: killed.at, why: killed.why }, why, epoch, position };
  try {
    const made: Change = { flagId, doc: { ...inForce, state: 'DISABLED', ...mark } };
    checkChange(made);
    return made;
  } catch {
    return { flagId, doc: null };
  }
};
