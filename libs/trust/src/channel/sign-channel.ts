import { type KeyObject, verify } from 'node:crypto';
import type { Beat, ChannelHead, SignedHead } from '@headgate/contracts';
import { canonicalJson } from '../canonical/canonical-json.js';
import type { SigningKey } from '../key/signing-key.js';

/** What a signature is for stands before the bytes, so that a head's can never pass for a beat's or a TUF role's. */
const HEAD_DOMAIN = 'headgate.head.v1\n';
const BEAT_DOMAIN = 'headgate.beat.v1\n';

export const signHead = (h: ChannelHead, key: SigningKey): SignedHead => ({
  h,
  sig: { keyId: key.keyId, sig: key.sign(headBytes(h)) },
});

export function signBeat(beat: Omit<Beat, 'schema' | 'sig'>, key: SigningKey): Beat {
  const unsigned = { schema: 'headgate.beat.v1' as const, ...beat };
  return { ...unsigned, sig: { keyId: key.keyId, sig: key.sign(beatBytes(unsigned)) } };
}

export const verifyHead = (head: SignedHead, key: KeyObject): boolean =>
  verify(null, headBytes(head.h), key, Buffer.from(head.sig.sig, 'hex'));

export const verifyBeat = (beat: Beat, key: KeyObject): boolean =>
  verify(null, beatBytes(beat), key, Buffer.from(beat.sig.sig, 'hex'));

const headBytes = (h: ChannelHead): Uint8Array => Buffer.from(HEAD_DOMAIN + canonicalJson(h));

function beatBytes(beat: Omit<Beat, 'sig'>): Uint8Array {
  const { sig: _sig, ...unsigned } = beat as Beat;
  return Buffer.from(BEAT_DOMAIN + canonicalJson(unsigned));
}
