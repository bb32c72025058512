import { CHANNEL_LIMITS, type Change, change, type FlagDocument } from '@headgate/contracts';
import { canonicalJson } from '@headgate/trust';
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
      changes.push(checked({ flagId, doc: documentOf(flagId) }));
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

/** Throws for what cannot be signed, or what readers would refuse: then they would refuse the whole commit. */
const checked = (made: Change): Change => {
  // As the commit's digest is taken, so that depth counts from the same place.
  const bytes = Buffer.byteLength(canonicalJson([made]));
  if (made.doc !== null && bytes > CHANNEL_LIMITS.maxDocumentBytes)
    throw new Error(`its document has ${bytes} bytes, too many to publish`);
  const read = change.safeParse(made);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new Error(`readers would refuse its document: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  return made;
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
    return checked({ flagId, doc: { ...inForce, state: 'DISABLED', ...mark } });
  } catch {
    return { flagId, doc: null };
  }
};
