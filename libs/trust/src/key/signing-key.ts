import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { canonicalJson } from '../canonical/canonical-json.js';
import { sha256Hex } from '../canonical/sha256.js';

/** DER of an Ed25519 SubjectPublicKeyInfo up to the 32 bytes of the key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** A public Ed25519 key and its TUF key id: SHA-256 of the canonical TUF key object. */
export interface PublicKey {
  readonly keyId: string;
  /** 32 bytes in hex. */
  readonly publicKey: string;
}

/** Signs and never shows its private half. Holds it in memory for as long as it is referenced. */
export interface SigningKey extends PublicKey {
  /** Ed25519 signature in hex; the same bytes always give the same signature. */
  sign(bytes: Uint8Array): string;
}

/** A new key and its PKCS#8 PEM, encrypted (AES-256-CBC under PBKDF2) when a passphrase is given. */
export function generateSigningKey(passphrase?: string): { readonly pem: string; readonly key: SigningKey } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption }) as string;
  return { pem, key: signingKey(privateKey) };
}

/** Throws when the PEM is damaged, is not Ed25519, or the passphrase is missing or wrong. */
export function loadSigningKey(pem: string, passphrase?: string): SigningKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (error) {
    throw new Error('the private key cannot be read: damaged PEM, or a missing or wrong passphrase', {
      cause: error,
    });
  }
  if (privateKey.asymmetricKeyType !== 'ed25519')
    throw new Error(`expected an Ed25519 key, found ${privateKey.asymmetricKeyType}`);
  return signingKey(privateKey);
}

/** The key object as TUF metadata carries it. */
export const tufKey = (publicKey: string) => ({
  keytype: 'ed25519',
  scheme: 'ed25519',
  keyval: { public: publicKey },
});

export const keyIdOf = (publicKey: string): string => sha256Hex(canonicalJson(tufKey(publicKey)));

/** For `crypto.verify`. Throws when `publicKey` is not 32 bytes in hex. */
export function verifyingKey(publicKey: string): KeyObject {
  if (!/^[0-9a-f]{64}$/.test(publicKey)) throw new Error('an Ed25519 public key is 64 hex digits');
  const der = Buffer.concat([SPKI_PREFIX, Buffer.from(publicKey, 'hex')]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

function signingKey(privateKey: KeyObject): SigningKey {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const publicKey = der.subarray(SPKI_PREFIX.length).toString('hex');
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    sign: (bytes) => sign(null, bytes, privateKey).toString('hex'),
  };
}
