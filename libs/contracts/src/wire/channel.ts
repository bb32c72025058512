import { z } from 'zod';
import { epochMs, sha256Hex, slug, uuidV7 } from '../identifiers.js';
import { tolerant } from '../tolerant.js';
import { flagDocument, jsonValue } from './flag-document.js';

export const CHANNEL_LIMITS = {
  maxCommitBytes: 262_144,
  maxChunkBytes: 262_144,
  maxDocumentBytes: 131_072,
  maxDocuments: 50_000,
  snapshotEveryCommits: 256,
  commitWindowMs: 20,
  maxCommitsPerSecond: 50,
} as const;

/** What a channel holds after commit `n`; a pure function of the log and the previous head. */
export const channelHead = tolerant({
  project: slug,
  channel: slug,
  epoch: z.int().min(0),
  /** Contiguous from 1 within an epoch's floor. */
  n: z.int().min(1),
  /** Position in the project's log of the newest event it covers. */
  position: z.int().min(0),
  /** Digest of the head before it; 64 zeros for the first. */
  prevHead: sha256Hex,
  /** SHA-256 over the list of (flag id, SHA-256 of document) sorted by id. */
  setDigest: sha256Hex,
  documentCount: z.int().min(0),
  /** SHA-256 of this commit's canonical changes. */
  changesDigest: sha256Hex,
});
export type ChannelHead = z.infer<typeof channelHead>;

export const signature = z.strictObject({ keyId: sha256Hex, sig: z.string().regex(/^[0-9a-f]{128}$/) });
export type Signature = z.infer<typeof signature>;

export const signedHead = tolerant({ h: channelHead, sig: signature });
export type SignedHead = z.infer<typeof signedHead>;

export const change = tolerant({ flagId: uuidV7, doc: flagDocument.nullable() });
export type Change = z.infer<typeof change>;

export const commit = tolerant({
  schema: z.literal('headgate.commit.v1'),
  head: signedHead,
  changes: z.array(change),
});
export type Commit = z.infer<typeof commit>;

export const beat = tolerant({
  schema: z.literal('headgate.beat.v1'),
  project: slug,
  channel: slug,
  epoch: z.int().min(0),
  n: z.int().min(1),
  headDigest: sha256Hex,
  issuedAt: epochMs,
  expiresAt: epochMs,
  sig: signature,
});
export type Beat = z.infer<typeof beat>;

/** Before gzip: one chunk of a snapshot. Chunk 0 carries the head and says how many chunks there are. */
export const snapshotChunk = tolerant({
  schema: z.literal('headgate.snapshot.v1'),
  headDigest: sha256Hex,
  index: z.int().min(0),
  count: z.int().min(1),
  head: signedHead.optional(),
  documents: z.array(flagDocument),
});
export type SnapshotChunk = z.infer<typeof snapshotChunk>;

/** TUF metadata as signed: roots from version 1 on, then targets with one delegated role per channel. */
export const trustBundle = tolerant({
  schema: z.literal('headgate.trust.v1'),
  roots: z.array(jsonValue).min(1).max(256),
  targets: jsonValue,
});
export type TrustBundle = z.infer<typeof trustBundle>;

/** What a gateway sends first, and an SDK keeps on disk: a whole verifiable state. */
export const channelState = tolerant({
  schema: z.literal('headgate.state.v1'),
  trust: trustBundle,
  head: signedHead,
  documents: z.array(flagDocument),
  beat: beat.optional(),
});
export type ChannelState = z.infer<typeof channelState>;

/** Names of the SSE events a gateway sends; `id` is `<epoch>.<n>` of the head after the event. */
export const GATEWAY_EVENTS = { state: 'state', commit: 'commit', beat: 'beat', trust: 'trust' } as const;
