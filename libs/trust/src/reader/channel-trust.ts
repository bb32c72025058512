import type { KeyObject } from 'node:crypto';
import type { Beat, SignedHead, TrustBundle } from '@headgate/contracts';
import { canonicalJson } from '../canonical/canonical-json.js';
import { verifyBeat, verifyHead } from '../channel/sign-channel.js';
import { verifyingKey } from '../key/signing-key.js';
import { type ChannelDelegation, delegationName } from '../metadata/channel-delegation.js';
import { checkTrustMovesOn, type VerifiedTrust, verifyTrust } from '../metadata/verify-trust.js';
import { Refusal } from './refusal.js';

export interface TrustedVersions {
  readonly rootVersion?: number;
  readonly targetsVersion?: number;
}

interface Signer {
  readonly delegation: ChannelDelegation;
  readonly key: KeyObject;
}

/** What a reader knows about who may sign its channel. Starts from the pin and only moves on. Refuses by throwing. */
export class ChannelTrust {
  #verified: VerifiedTrust | null = null;
  #canonical = '';
  #signer: Signer | null = null;

  constructor(
    private readonly place: { readonly project: string; readonly channel: string; readonly pin: string },
    private readonly seen: TrustedVersions,
  ) {}

  get verified(): VerifiedTrust | null {
    return this.#verified;
  }

  get delegation(): ChannelDelegation | null {
    return this.#signer?.delegation ?? null;
  }

  /** True when the channel now has another epoch than before. */
  take(bundle: TrustBundle): boolean {
    const canonical = canonicalJson(bundle);
    if (canonical === this.#canonical) return false;
    const verified = verifyTrust(bundle, this.place.pin);
    this.#checkMovesOn(verified);
    const before = this.#signer;
    const delegation = verified.delegations.get(delegationName(this.place.project, this.place.channel));
    this.#signer = delegation === undefined ? null : { delegation, key: verifyingKey(delegation.publicKey) };
    this.#verified = verified;
    this.#canonical = canonical;
    return before !== null && before.delegation.epoch !== delegation?.epoch;
  }

  /** Names, epoch, floor and signature. */
  checkHead(head: SignedHead): void {
    const { h, sig } = head;
    const { delegation, key } = this.#signerOf(h, `head ${h.n}`);
    if (h.n <= delegation.commitFloor)
      throw new Refusal('rolled-back', `head ${h.n} is not above the floor ${delegation.commitFloor}`);
    if (sig.keyId !== delegation.keyId || !verifyHead(head, key))
      throw new Refusal('bad-signature', `head ${h.n} is not signed by the channel's key`);
  }

  /** Names, epoch, span and signature. */
  checkBeat(beat: Beat): void {
    const { delegation, key } = this.#signerOf(beat, 'the beat');
    if (beat.sig.keyId !== delegation.keyId || !verifyBeat(beat, key))
      throw new Refusal('bad-signature', "the beat is not signed by the channel's key");
    if (beat.expiresAt <= beat.issuedAt)
      throw new Refusal('malformed', 'the beat expires before it is issued');
  }

  #signerOf(named: { project: string; channel: string; epoch: number }, what: string): Signer {
    const { project, channel } = this.place;
    if (this.#verified === null) throw new Refusal('no-trust', 'no trust bundle was verified yet');
    if (named.project !== project || named.channel !== channel)
      throw new Refusal('wrong-channel', `${what} is of ${named.project}/${named.channel}`);
    if (this.#signer === null)
      throw new Refusal('untrusted', `targets delegate ${project}/${channel} to nobody`);
    const { epoch } = this.#signer.delegation;
    if (named.epoch !== epoch)
      throw new Refusal('wrong-epoch', `${what} is of epoch ${named.epoch}, the delegation of ${epoch}`);
    return this.#signer;
  }

  #checkMovesOn(next: VerifiedTrust): void {
    const { rootVersion = 0, targetsVersion = 0 } = this.seen;
    if (this.#verified !== null) checkTrustMovesOn(this.#verified, next);
    else if (next.rootDigests.length < rootVersion || next.targetsVersion < targetsVersion)
      throw new Refusal('rolled-back', 'the trust bundle is older than the one seen before the restart');
  }
}
