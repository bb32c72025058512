import type { TrustBundle } from '@headgate/contracts';
import { Metadata, MetadataKind, type Root, type Targets } from '@tufjs/models';
import { canonicalJson } from '../canonical/canonical-json.js';
import { sha256Hex } from '../canonical/sha256.js';
import { keyIdOf } from '../key/signing-key.js';
import { Refusal } from '../reader/refusal.js';
import { type ChannelDelegation, delegationName } from './channel-delegation.js';

export interface VerifiedTrust {
  readonly bundle: TrustBundle;
  /** Digest of each root's signed part, version 1 first. */
  readonly rootDigests: readonly string[];
  readonly targetsVersion: number;
  readonly targetsDigest: string;
  readonly rootExpiresAt: number;
  readonly targetsExpiresAt: number;
  /** The earlier of the two. */
  readonly expiresAt: number;
  readonly delegations: ReadonlyMap<string, ChannelDelegation>;
}

/**
 * Walks root 1 (which must match the pin) to the newest, each signed by the thresholds of itself and of the one before, then
 * targets. Throws a `Refusal`. Expiry is reported, not judged: what is past it stays in force and is shown as stale.
 */
export function verifyTrust(bundle: TrustBundle, pin: string): VerifiedTrust {
  const roots = bundle.roots.map((root) => parse(() => Metadata.fromJSON(MetadataKind.Root, root as never)));
  const rootDigests = bundle.roots.map(signedDigest);
  if (`sha256:${rootDigests[0]}` !== pin)
    throw new Refusal('untrusted', `root 1 is sha256:${rootDigests[0]}, the pin says ${pin}`);
  for (const [i, root] of roots.entries()) checkRoot(root, i + 1, roots[i - 1] ?? root);
  const newest = roots.at(-1) as Metadata<Root>;
  const targets = parse(() => Metadata.fromJSON(MetadataKind.Targets, bundle.targets as never));
  checkKeyIds(newest.signed.keys);
  checkSigned(newest, 'targets', targets);
  return {
    bundle,
    rootDigests,
    targetsVersion: targets.signed.version,
    targetsDigest: signedDigest(bundle.targets),
    rootExpiresAt: expiryOf(newest),
    targetsExpiresAt: expiryOf(targets),
    expiresAt: Math.min(expiryOf(newest), expiryOf(targets)),
    delegations: delegationsOf(targets.signed),
  };
}

/** Throws a `Refusal` when `next` takes back, or says differently, what `held` had said. */
export function checkTrustMovesOn(held: VerifiedTrust, next: VerifiedTrust): void {
  if (next.rootDigests.length < held.rootDigests.length || next.targetsVersion < held.targetsVersion)
    throw new Refusal('rolled-back', 'the trust bundle is older than the one already verified');
  if (held.rootDigests.some((digest, i) => next.rootDigests[i] !== digest))
    throw new Refusal('equivocation', 'a root of the same version has another content');
  if (next.targetsVersion === held.targetsVersion && next.targetsDigest !== held.targetsDigest)
    throw new Refusal('equivocation', `targets ${next.targetsVersion} exists with two contents`);
}

function checkRoot(root: Metadata<Root>, version: number, before: Metadata<Root>): void {
  if (root.signed.version !== version)
    throw new Refusal('untrusted', `root ${root.signed.version} stands where root ${version} should`);
  checkKeyIds(root.signed.keys);
  checkSigned(before, 'root', root);
  checkSigned(root, 'root', root);
}

/** A key id must be its key's digest, or one key under two ids could count twice towards a threshold. */
function checkKeyIds(keys: Readonly<Record<string, { readonly keyVal: Record<string, string> }>>): void {
  for (const [keyId, key] of Object.entries(keys))
    if (keyId !== keyIdOf(key.keyVal.public ?? ''))
      throw new Refusal('untrusted', `key id ${keyId} is not the digest of its key`);
}

function checkSigned(by: Metadata<Root>, role: string, metadata: Metadata<Root> | Metadata<Targets>): void {
  try {
    by.verifyDelegate(role, metadata as Metadata<Root>);
  } catch (error) {
    throw new Refusal('bad-signature', `${role} ${metadata.signed.version}: ${(error as Error).message}`);
  }
}

function delegationsOf(targets: Targets): Map<string, ChannelDelegation> {
  const found = new Map<string, ChannelDelegation>();
  checkKeyIds(targets.delegations?.keys ?? {});
  for (const role of Object.values(targets.delegations?.roles ?? {})) {
    const [, project = '', channel = ''] = role.name.split('/');
    const keyId = role.keyIDs[0] ?? '';
    const publicKey = targets.delegations?.keys[keyId]?.keyVal?.public;
    const { epoch, commitFloor } = role.unrecognizedFields ?? {};
    // Roles of another kind (releases, embargoes) belong to other readers.
    if (role.name !== delegationName(project, channel) || publicKey === undefined) continue;
    if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(commitFloor))
      throw new Refusal('malformed', `delegation ${role.name} has no whole epoch and commitFloor`);
    if (!/^[0-9a-f]{64}$/.test(publicKey))
      throw new Refusal('malformed', `the key of delegation ${role.name} is not an Ed25519 key in hex`);
    found.set(role.name, {
      project,
      channel,
      keyId,
      publicKey,
      epoch: epoch as number,
      commitFloor: commitFloor as number,
    });
  }
  return found;
}

function expiryOf(metadata: Metadata<Root> | Metadata<Targets>): number {
  const at = Date.parse(metadata.signed.expires);
  if (!Number.isSafeInteger(at)) throw new Refusal('malformed', `"${metadata.signed.expires}" is no time`);
  return at;
}

const signedDigest = (metadata: unknown): string =>
  sha256Hex(canonicalJson((metadata as { readonly signed: unknown }).signed));

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Refusal('malformed', `TUF metadata: ${(error as Error).message}`);
  }
}
