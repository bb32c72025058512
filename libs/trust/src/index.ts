export { canonicalJson, NotCanonical } from './canonical/canonical-json.js';
export { sha256Hex } from './canonical/sha256.js';
export { ChannelAuthor, type ChannelBeginning } from './channel/channel-author.js';
export { checkChange } from './channel/check-change.js';
export { changesDigest, documentDigest, headDigest, NO_HEAD, setDigest } from './channel/digests.js';
export { signBeat, signHead } from './channel/sign-channel.js';
export {
  joinSnapshot,
  readSnapshot,
  readSnapshotChunk,
  type Snapshot,
  type SnapshotParts,
  snapshotChunks,
} from './channel/snapshot.js';
export {
  generateSigningKey,
  loadSigningKey,
  type PublicKey,
  type SigningKey,
} from './key/signing-key.js';
export { checkEvent, type EventDraft, sealEvent } from './log/seal-event.js';
export type { ChannelDelegation } from './metadata/channel-delegation.js';
export {
  createTrust,
  pinOf,
  type RootRoles,
  resignTargets,
  rotateRoot,
  type TrustDraft,
} from './metadata/create-trust.js';
export { type VerifiedTrust, verifyTrust } from './metadata/verify-trust.js';
export type { Acceptance } from './reader/acceptance.js';
export {
  ChannelReader,
  type ChannelReaderOptions,
  type Equivocation,
  type Freshness,
  openChannelReader,
  type Seen,
  type VerifiedState,
} from './reader/channel-reader.js';
export type { KeptKill } from './reader/kill-mask.js';
export { Refusal, type RefusalCode } from './reader/refusal.js';
