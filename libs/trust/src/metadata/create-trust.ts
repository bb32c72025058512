import type { JsonValue, TrustBundle } from '@headgate/contracts';
import { Metadata, MetadataKind, Signature } from '@tufjs/models';
import { canonicalJson } from '../canonical/canonical-json.js';
import { sha256Hex } from '../canonical/sha256.js';
import { type PublicKey, type SigningKey, tufKey } from '../key/signing-key.js';
import { type ChannelDelegation, delegationRole } from './channel-delegation.js';

const TUF_SPEC_VERSION = '1.0.31';
const DAY_MS = 86_400_000;
const ROOT_LIFE_MS = 365 * DAY_MS;
const TARGETS_LIFE_MS = 90 * DAY_MS;

export interface RootRoles {
  readonly rootKeys: readonly PublicKey[];
  readonly rootThreshold: number;
  readonly targetsKeys: readonly PublicKey[];
  readonly targetsThreshold: number;
}

export interface TrustDraft {
  readonly rootKeys: readonly SigningKey[];
  readonly rootThreshold?: number;
  readonly targetsKeys: readonly SigningKey[];
  readonly channels: readonly ChannelDelegation[];
  readonly now: number;
  readonly rootLifeMs?: number;
  readonly targetsLifeMs?: number;
}

/** Root version 1 and targets version 1, signed by all keys given. */
export function createTrust(draft: TrustDraft): TrustBundle {
  const roles: RootRoles = {
    rootKeys: draft.rootKeys,
    rootThreshold: draft.rootThreshold ?? 1,
    targetsKeys: draft.targetsKeys,
    targetsThreshold: 1,
  };
  const root = signRoot(roles, 1, draft.now + (draft.rootLifeMs ?? ROOT_LIFE_MS), draft.rootKeys);
  return { schema: 'headgate.trust.v1', roots: [root], targets: signTargets(draft, 1) };
}

/** The same roots with the next version of targets: other channels, keys, epochs or a later expiry. */
export function resignTargets(
  bundle: TrustBundle,
  draft: Pick<TrustDraft, 'targetsKeys' | 'channels' | 'now' | 'targetsLifeMs'>,
): TrustBundle {
  return { ...bundle, targets: signTargets(draft, versionOf(bundle.targets) + 1) };
}

/**
 * The next root, for new keys or a later expiry. `signers` must meet the thresholds of the old root and of the new one; when
 * the targets keys change, `resignTargets` must follow before the bundle verifies again.
 */
export function rotateRoot(
  bundle: TrustBundle,
  next: RootRoles & {
    readonly signers: readonly SigningKey[];
    readonly now: number;
    readonly rootLifeMs?: number;
  },
): TrustBundle {
  const version = versionOf(bundle.roots.at(-1)) + 1;
  const root = signRoot(next, version, next.now + (next.rootLifeMs ?? ROOT_LIFE_MS), next.signers);
  return { ...bundle, roots: [...bundle.roots, root] };
}

/** What a reader is given out of band: the digest of root version 1's signed part. */
export const pinOf = (bundle: TrustBundle): string =>
  `sha256:${sha256Hex(canonicalJson((bundle.roots[0] as { signed?: unknown }).signed))}`;

function signRoot(
  roles: RootRoles,
  version: number,
  expiresAt: number,
  signers: readonly SigningKey[],
): JsonValue {
  const role = (keys: readonly PublicKey[], threshold: number) => ({
    keyids: keys.map((key) => key.keyId),
    threshold,
  });
  const keys = [...roles.rootKeys, ...roles.targetsKeys];
  const signed = {
    _type: 'root',
    spec_version: TUF_SPEC_VERSION,
    version,
    expires: tufTime(expiresAt),
    consistent_snapshot: false,
    keys: keyObjects(keys),
    roles: {
      root: role(roles.rootKeys, roles.rootThreshold),
      targets: role(roles.targetsKeys, roles.targetsThreshold),
      // Commits and beats stand in for these two (DESIGN.md §3); TUF wants them named, and without keys nobody can fill them.
      snapshot: role([], 1),
      timestamp: role([], 1),
    },
  };
  return signMetadata(Metadata.fromJSON(MetadataKind.Root, { signed, signatures: [] }), signers);
}

function signTargets(
  draft: Pick<TrustDraft, 'targetsKeys' | 'channels' | 'now' | 'targetsLifeMs'>,
  version: number,
): JsonValue {
  const signed = {
    _type: 'targets',
    spec_version: TUF_SPEC_VERSION,
    version,
    expires: tufTime(draft.now + (draft.targetsLifeMs ?? TARGETS_LIFE_MS)),
    targets: {},
    delegations: { keys: keyObjects(draft.channels), roles: draft.channels.map(delegationRole) },
  };
  return signMetadata(Metadata.fromJSON(MetadataKind.Targets, { signed, signatures: [] }), draft.targetsKeys);
}

function signMetadata(
  metadata: { sign: Metadata<never>['sign']; toJSON(): unknown },
  signers: readonly SigningKey[],
): JsonValue {
  for (const key of signers)
    metadata.sign((bytes) => new Signature({ keyID: key.keyId, sig: key.sign(bytes) }));
  return metadata.toJSON() as JsonValue;
}

const keyObjects = (keys: readonly PublicKey[]) =>
  Object.fromEntries(keys.map((key) => [key.keyId, tufKey(key.publicKey)]));

/** TUF times have whole seconds. */
const tufTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const versionOf = (metadata: unknown): number =>
  (metadata as { readonly signed: { readonly version: number } }).signed.version;
