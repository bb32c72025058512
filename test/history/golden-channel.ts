import type { Beat, Change, ChannelState, Commit, FlagDocument, TrustBundle } from '@headgate/contracts';
import {
  ChannelAuthor,
  createTrust,
  headDigest,
  loadSigningKey,
  resignTargets,
  rotateRoot,
  type SigningKey,
  sha256Hex,
  signBeat,
} from '@headgate/trust';

export const GOLDEN_PLACE = { project: 'shop', channel: 'stable' } as const;
export const GOLDEN_NOW = 1_790_000_000_000;
const DAY_MS = 86_400_000;

export interface GoldenChannel {
  readonly trust: TrustBundle;
  readonly commits: readonly Commit[];
  readonly beat: Beat;
  readonly snapshot: readonly Uint8Array[];
  readonly state: ChannelState;
  readonly document: FlagDocument;
}

/** Everything that goes over the wire of a channel, from fixed keys: the same bytes in every run of one release. */
export function goldenChannel(): GoldenChannel {
  const [root, root2, targets, key] = ['root', 'root-2', 'targets', 'channel'].map(fixedKey) as [
    SigningKey,
    SigningKey,
    SigningKey,
    SigningKey,
  ];
  const { keyId, publicKey } = key;
  const channels = [{ ...GOLDEN_PLACE, keyId, publicKey, epoch: 1, commitFloor: 0 }];
  const life = { rootLifeMs: 36_500 * DAY_MS, targetsLifeMs: 36_500 * DAY_MS, now: GOLDEN_NOW };
  const first = createTrust({ rootKeys: [root], targetsKeys: [targets], channels, ...life });
  const keys = { rootKeys: [root, root2], rootThreshold: 2, targetsKeys: [targets], targetsThreshold: 1 };
  const rotated = rotateRoot(first, { ...keys, signers: [root, root2], ...life });
  const trust = resignTargets(rotated, { targetsKeys: [targets], channels, ...life });
  const author = ChannelAuthor.begin({ ...GOLDEN_PLACE, epoch: 1, commitFloor: 0 }, key);
  const commits = [
    ...author.commit([put(1), put(2), put(3)], 4),
    ...author.commit(
      [put(1, { state: 'DISABLED', killed: { at: GOLDEN_NOW, why: 'it burns' }, position: 5 })],
      5,
    ),
    ...author.commit([put(2, DETAILED), { flagId: flagId(3), doc: null }], 7),
  ];
  const head = author.head ?? nothing();
  const issuedAt = GOLDEN_NOW;
  const named = { ...GOLDEN_PLACE, epoch: 1, n: head.h.n, headDigest: headDigest(head.h) };
  const beat = signBeat({ ...named, issuedAt, expiresAt: issuedAt + DAY_MS }, key);
  const documents = [...author.documents.values()];
  return {
    trust,
    commits,
    beat,
    snapshot: author.snapshot(),
    state: { schema: 'headgate.state.v1', trust, head, documents, beat },
    document: author.documents.get(flagId(2)) ?? nothing(),
  };
}

const DETAILED: Partial<FlagDocument> = {
  variants: { on: { limit: 5, rate: 1e-7, text: '€ "\\\u0007 😀' }, off: null },
  targeting: {
    fractional: [{ cat: ['seed-1', { var: 'targetingKey' }] }, ['on', 50_000], ['off', 950_000]],
  },
  rollout: {
    id: '01890000-0000-7000-8000-0000000000aa',
    seed: 'seed-1',
    variant: 'on',
    weightPpm: 50_000,
    reportEveryMs: 6_000,
  },
  overridable: 'vendor',
  expires: 1_900_000_000_000,
  owner: 'team-checkout',
  position: 7,
};

const flagId = (n: number): string => `01890000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

const put = (n: number, over: Partial<FlagDocument> = {}): Change => ({
  flagId: flagId(n),
  doc: {
    schema: 'headgate.flag.v1',
    ...GOLDEN_PLACE,
    flagId: flagId(n),
    key: `path.${n}`,
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    overridable: 'none',
    why: 'recorded for history',
    epoch: 1,
    position: n + 1,
    ...over,
  },
});

/** A key that everybody knows; nothing real is ever signed with it. */
function fixedKey(name: string): SigningKey {
  const seed = Buffer.from(sha256Hex(`headgate history: ${name}`), 'hex');
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return loadSigningKey(
    `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`,
  );
}

function nothing(): never {
  throw new Error('the golden channel is empty');
}
