import {
  type Beat,
  beatSubject,
  type Change,
  type ChannelState,
  type Commit,
  commitSubject,
  type FlagDocument,
  snapshotSubject,
  type TrustBundle,
  trustSubject,
} from '@headgate/contracts';
import type { Streams } from '@headgate/streams';
import { ChannelAuthor, createTrust, generateSigningKey, headDigest, pinOf, signBeat } from '@headgate/trust';

export interface SignedChannelOptions {
  readonly project?: string;
  readonly channel?: string;
  readonly now?: () => number;
  readonly lifeMs?: number;
}

/** A channel with keys of its own, as a publisher would sign it: for specs of those who read it. */
export class SignedChannel {
  readonly project: string;
  readonly channel: string;
  readonly trust: TrustBundle;
  readonly pin: string;
  private readonly now: () => number;
  private readonly lifeMs: number;
  private readonly key = generateSigningKey().key;
  private readonly author: ChannelAuthor;
  private position = 0;

  constructor(options: SignedChannelOptions = {}) {
    this.project = options.project ?? 'shop';
    this.channel = options.channel ?? 'stable';
    this.now = options.now ?? Date.now;
    this.lifeMs = options.lifeMs ?? 86_400_000;
    const { project, channel } = this;
    const { keyId, publicKey } = this.key;
    const rootKey = generateSigningKey().key;
    this.trust = createTrust({
      rootKeys: [rootKey],
      targetsKeys: [generateSigningKey().key],
      channels: [{ project, channel, keyId, publicKey, epoch: 1, commitFloor: 0 }],
      now: this.now(),
    });
    this.pin = pinOf(this.trust);
    this.author = ChannelAuthor.begin({ project, channel, epoch: 1, commitFloor: 0 }, this.key);
    this.commit();
  }

  /** `index` names the flag: the same index is the same flag. */
  document(index: number, changes: Partial<FlagDocument> = {}): FlagDocument {
    return {
      schema: 'headgate.flag.v1',
      project: this.project,
      channel: this.channel,
      flagId: `01900000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`,
      key: `flag-${index}`,
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      overridable: 'none',
      why: 'spec',
      epoch: 1,
      position: this.position + 1,
      ...changes,
    };
  }

  commit(...documents: (FlagDocument | { readonly flagId: string; readonly ended: true })[]): Commit {
    this.position += 1;
    const changes: Change[] = documents.map((document) =>
      'ended' in document
        ? { flagId: document.flagId, doc: null }
        : { flagId: document.flagId, doc: document },
    );
    const [commit] = this.author.commit(changes, this.position);
    if (commit === undefined) throw new Error('nothing differs');
    return commit;
  }

  get head() {
    const { head } = this.author;
    if (head === null) throw new Error('no head');
    return head;
  }

  beat(issuedAt = this.now()): Beat {
    const { h } = this.head;
    return signBeat(
      {
        project: this.project,
        channel: this.channel,
        epoch: h.epoch,
        n: h.n,
        headDigest: headDigest(h),
        issuedAt,
        expiresAt: issuedAt + this.lifeMs,
      },
      this.key,
    );
  }

  state(beat: Beat | null = this.beat()): ChannelState {
    return {
      schema: 'headgate.state.v1',
      trust: this.trust,
      head: this.head,
      documents: [...this.author.documents.values()],
      ...(beat === null ? {} : { beat }),
    };
  }

  /** Trust, a snapshot and a beat: all that a cold reader needs. */
  async publishAll(streams: Streams, stream = 'FLAGS'): Promise<void> {
    const { project, channel } = this;
    await put(streams, stream, trustSubject(project, channel), this.trust);
    for (const [i, chunk] of this.author.snapshot().entries()) {
      await put(streams, stream, snapshotSubject(project, channel, 0, i), chunk);
    }
    await this.publishBeat(streams, stream);
  }

  async publishCommit(streams: Streams, commit: Commit, stream = 'FLAGS'): Promise<void> {
    await put(streams, stream, commitSubject(this.project, this.channel, commit.head.h.n), commit);
  }

  async publishBeat(streams: Streams, stream = 'FLAGS'): Promise<void> {
    await put(streams, stream, beatSubject(this.project, this.channel), this.beat());
  }
}

const put = async (streams: Streams, stream: string, subject: string, value: unknown): Promise<void> => {
  const data = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
  await streams.publish(subject, data, { expectStream: stream });
};
