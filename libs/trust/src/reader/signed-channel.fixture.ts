import type { Beat, Change, ChannelState, Commit, FlagDocument, TrustBundle } from '@headgate/contracts';
import { sha256Hex } from '../canonical/sha256.js';
import { ChannelAuthor } from '../channel/channel-author.js';
import { headDigest } from '../channel/digests.js';
import { signBeat } from '../channel/sign-channel.js';
import { loadSigningKey, type SigningKey } from '../key/signing-key.js';
import { createTrust, pinOf } from '../metadata/create-trust.js';

export const NOW = 1_790_000_000_000;
export const HOUR = 3_600_000;
export const PLACE = { project: 'shop', channel: 'stable' } as const;

/** A key that is the same in every run, for specs only. */
export function fixedKey(name: string): SigningKey {
  const seed = Buffer.from(sha256Hex(name), 'hex');
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const body = der.toString('base64');
  return loadSigningKey(`-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`);
}

export const flagId = (i: number): string => `01890000-0000-7000-8000-${i.toString(16).padStart(12, '0')}`;

export const flag = (i: number, over: Partial<FlagDocument> = {}): FlagDocument => ({
  schema: 'headgate.flag.v1',
  ...PLACE,
  flagId: flagId(i),
  key: `path-${i}`,
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  overridable: 'none',
  why: 'first light',
  epoch: 1,
  position: i + 1,
  ...over,
});

export const put = (i: number, over: Partial<FlagDocument> = {}): Change => ({
  flagId: flagId(i),
  doc: flag(i, over),
});

export const kill = (i: number, over: Partial<FlagDocument> = {}): Change =>
  put(i, { state: 'DISABLED', killed: { at: NOW, why: 'it burns' }, ...over });

export interface SignedChannel {
  readonly root: SigningKey;
  readonly targets: SigningKey;
  readonly key: SigningKey;
  readonly trust: TrustBundle;
  readonly pin: string;
  readonly author: ChannelAuthor;
  commit(...changes: Change[]): Commit;
  beat(issuedAt?: number, lifetimeMs?: number): Beat;
  state(beat?: Beat): ChannelState;
}

/** An upstream in miniature: real keys, real trust, a real author. */
export function signedChannel(
  options: { epoch?: number; commitFloor?: number; key?: string } = {},
): SignedChannel {
  const [root, targets, key] = [fixedKey('root'), fixedKey('targets'), fixedKey(options.key ?? 'channel')];
  const epoch = options.epoch ?? 1;
  const commitFloor = options.commitFloor ?? 0;
  const delegation = { ...PLACE, keyId: key.keyId, publicKey: key.publicKey, epoch, commitFloor };
  const trust = createTrust({
    rootKeys: [root],
    targetsKeys: [targets],
    channels: [delegation],
    now: NOW - HOUR,
  });
  const author = ChannelAuthor.begin({ ...PLACE, epoch, commitFloor }, key);
  let position = 0;
  const head = () => author.head ?? missing();
  return {
    root,
    targets,
    key,
    trust,
    pin: pinOf(trust),
    author,
    commit: (...changes) => author.commit(changes, ++position)[0] ?? missing(),
    beat: (issuedAt = NOW, lifetimeMs = 24 * HOUR) => {
      const { h } = head();
      const expiresAt = issuedAt + lifetimeMs;
      return signBeat({ ...PLACE, epoch, n: h.n, headDigest: headDigest(h), issuedAt, expiresAt }, key);
    },
    state: (beat) => ({
      schema: 'headgate.state.v1',
      trust,
      head: head(),
      documents: [...author.documents.values()],
      ...(beat === undefined ? {} : { beat }),
    }),
  };
}

function missing(): never {
  throw new Error('the channel has no commit for that');
}
