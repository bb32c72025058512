import type { Change, ChannelHead, FlagDocument } from '@headgate/contracts';
import { canonicalJson } from '../canonical/canonical-json.js';
import { sha256Hex } from '../canonical/sha256.js';
import { DocumentSet } from './document-set.js';

/** `prevHead` of a channel's first head in an epoch. */
export const NO_HEAD = '0'.repeat(64);

export const documentDigest = (document: FlagDocument): string => sha256Hex(canonicalJson(document));

export const changesDigest = (changes: readonly Change[]): string => sha256Hex(canonicalJson(changes));

export const headDigest = (head: ChannelHead): string => sha256Hex(canonicalJson(head));

/** SHA-256 over the entries sorted by flag id, each the id's 16 bytes and the document digest's 32 bytes. */
export const setDigest = (digests: ReadonlyMap<string, string>): string =>
  DocumentSet.ofDigests(digests).digest();
