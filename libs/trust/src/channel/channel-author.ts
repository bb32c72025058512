import {
  CHANNEL_LIMITS,
  type Change,
  type ChannelHead,
  type Commit,
  type FlagDocument,
  type SignedHead,
} from '@headgate/contracts';
import { canonicalJson } from '../canonical/canonical-json.js';
import type { SigningKey } from '../key/signing-key.js';
import { changesDigest, headDigest, NO_HEAD } from './digests.js';
import { DocumentSet } from './document-set.js';
import { measure } from './measure.js';
import { signHead } from './sign-channel.js';
import { type SnapshotParts, snapshotParts } from './snapshot.js';

/** What a commit holds beside its changes: head, signature, names. Measured at 900 bytes with the longest slugs. */
const COMMIT_OVERHEAD_BYTES = 2_048;

export interface ChannelBeginning {
  readonly project: string;
  readonly channel: string;
  readonly epoch: number;
  /** Commit numbers up to this one were used in earlier epochs. */
  readonly commitFloor: number;
}

/**
 * The writing side of one channel: its documents, its head and the key that signs it. Each head is a pure function of the
 * changes, the position and the head before it.
 */
export class ChannelAuthor {
  #head: SignedHead | null;

  private constructor(
    private readonly beginning: ChannelBeginning,
    private readonly set: DocumentSet,
    head: SignedHead | null,
    private readonly key: SigningKey,
  ) {
    this.#head = head;
  }

  static begin(beginning: ChannelBeginning, key: SigningKey): ChannelAuthor {
    return new ChannelAuthor(beginning, new DocumentSet(), null, key);
  }

  /** Goes on from a state that a reader verified. */
  static resume(head: SignedHead, documents: Iterable<FlagDocument>, key: SigningKey): ChannelAuthor {
    const { project, channel, epoch, n } = head.h;
    const set = DocumentSet.of(documents, (document) => measure(document).digest);
    return new ChannelAuthor({ project, channel, epoch, commitFloor: n - 1 }, set, head, key);
  }

  get head(): SignedHead | null {
    return this.#head;
  }

  get documents(): ReadonlyMap<string, FlagDocument> {
    return this.set.documents;
  }

  /** Those of the changes that make a difference. */
  differing(changes: readonly Change[]): Change[] {
    return changes.filter((change) => this.#differs(change));
  }

  /**
   * Signs the changes that make a difference: kills first, then by flag id, as many commits as their size needs. None when
   * nothing differs, except for the channel's very first commit, which may be empty. Only the last of several commits claims
   * `position`. Throws for a document over its limit.
   */
  commit(changes: readonly Change[], position: number): Commit[] {
    const batches = split(this.differing(changes).sort(killsFirst));
    if (batches.length === 0 && this.#head === null) batches.push([]);
    return batches.map((batch, i) => {
      const covered = i === batches.length - 1 ? position : (this.#head?.h.position ?? 0);
      return this.#next(batch, covered);
    });
  }

  /** Throws before the first commit. */
  snapshot(): Uint8Array[] {
    return this.snapshotParts().map((pack) => pack());
  }

  /** The same, to be packed chunk by chunk: of the state as it is now, whatever is committed meanwhile. */
  snapshotParts(): SnapshotParts {
    if (this.#head === null) throw new Error('a channel without a commit has no snapshot');
    return snapshotParts(this.#head, this.set.sorted(), (document) => measure(document).bytes);
  }

  #differs({ flagId, doc }: Change): boolean {
    const held = this.set.digests.get(flagId);
    return doc === null ? held !== undefined : held !== measure(doc).digest;
  }

  #next(changes: readonly Change[], position: number): Commit {
    for (const { flagId, doc } of changes) {
      if (doc === null) this.set.remove(flagId);
      else this.set.put(doc, measure(doc).digest);
    }
    const { project, channel, epoch, commitFloor } = this.beginning;
    const previous = this.#head;
    const head: ChannelHead = {
      project,
      channel,
      epoch,
      n: previous === null ? commitFloor + 1 : previous.h.n + 1,
      position,
      prevHead: previous === null ? NO_HEAD : headDigest(previous.h),
      setDigest: this.set.digest(),
      documentCount: this.set.size,
      changesDigest: changesDigest(changes),
    };
    this.#head = signHead(head, this.key);
    return { schema: 'headgate.commit.v1', head: this.#head, changes: [...changes] };
  }
}

function split(changes: readonly Change[]): Change[][] {
  const batches: Change[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const change of changes) {
    const size = Buffer.byteLength(canonicalJson(change)) + 1;
    if (change.doc !== null && size > CHANNEL_LIMITS.maxDocumentBytes)
      throw new Error(`the document of flag ${change.flagId} has ${size} bytes, too many to publish`);
    if (bytes + size > CHANNEL_LIMITS.maxCommitBytes - COMMIT_OVERHEAD_BYTES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(change);
    bytes += size;
  }
  return batches;
}

const killsFirst = (a: Change, b: Change): number =>
  Number(b.doc?.killed !== undefined) - Number(a.doc?.killed !== undefined) || (a.flagId < b.flagId ? -1 : 1);
