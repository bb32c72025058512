import { gunzipSync, gzipSync } from 'node:zlib';
import {
  CHANNEL_LIMITS,
  type FlagDocument,
  type SignedHead,
  type SnapshotChunk,
  snapshotChunk,
} from '@headgate/contracts';
import { canonicalJson } from '../canonical/canonical-json.js';
import { headDigest } from './digests.js';

/** What a chunk holds beside its documents: head, signature, names, and gzip's own bytes when nothing shrinks. */
const OVERHEAD_BYTES = 4_096;
/** No chunk unpacks to more: a gzip bomb stops here. Ours unpack to at most 256 KiB; older and other writers may pack better. */
const MAX_RAW_BYTES = 4_194_304;

/** A snapshot whose chunks are packed one by one, when they are wanted: packing 5,000 documents at once would hold up a kill. */
export type SnapshotParts = readonly (() => Uint8Array)[];

/** The channel's whole state as gzip chunks of at most 256 KiB, in order; chunk 0 carries the head. */
export const snapshotChunks = (head: SignedHead, documents: Iterable<FlagDocument>): Uint8Array[] =>
  snapshotParts(head, documents, (document) => Buffer.byteLength(canonicalJson(document))).map((pack) =>
    pack(),
  );

export function snapshotParts(
  head: SignedHead,
  documents: Iterable<FlagDocument>,
  sizeOf: (document: FlagDocument) => number,
): SnapshotParts {
  const groups = groupsBySize(documents, sizeOf);
  return groups.map((group, index) => () => pack(head, group, index, groups.length));
}

export interface Snapshot {
  readonly head: SignedHead;
  readonly documents: readonly FlagDocument[];
}

/** One chunk, its size and shape checked and nothing else. Throws for what is no chunk. */
export function readSnapshotChunk(bytes: Uint8Array): SnapshotChunk {
  if (bytes.length > CHANNEL_LIMITS.maxChunkBytes)
    throw new Error(
      `a snapshot chunk has ${bytes.length} bytes, at most ${CHANNEL_LIMITS.maxChunkBytes} allowed`,
    );
  return snapshotChunk.parse(
    JSON.parse(gunzipSync(bytes, { maxOutputLength: MAX_RAW_BYTES }).toString('utf8')),
  );
}

/** All chunks of one snapshot, in order. Throws when they are not one whole snapshot; signs and digests are the reader's to check. */
export function readSnapshot(chunks: readonly Uint8Array[]): Snapshot {
  return joinSnapshot(chunks.map(readSnapshotChunk));
}

export function joinSnapshot(chunks: readonly SnapshotChunk[]): Snapshot {
  const head = chunks[0]?.head;
  if (head === undefined) throw new Error('chunk 0 of the snapshot is missing or has no head');
  const digest = headDigest(head.h);
  const count = chunks[0]?.count;
  if (count !== chunks.length) throw new Error(`the snapshot has ${chunks.length} of ${count} chunks`);
  const stray = chunks.findIndex((c, i) => c.index !== i || c.count !== count || c.headDigest !== digest);
  if (stray !== -1) throw new Error(`chunk ${stray} belongs to another snapshot`);
  return { head, documents: chunks.flatMap((c) => c.documents) };
}

function groupsBySize(
  documents: Iterable<FlagDocument>,
  sizeOf: (document: FlagDocument) => number,
): FlagDocument[][] {
  const groups: FlagDocument[][] = [[]];
  let bytes = 0;
  for (const document of documents) {
    const size = sizeOf(document) + 1;
    if (bytes > 0 && bytes + size > CHANNEL_LIMITS.maxChunkBytes - OVERHEAD_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(document);
    bytes += size;
  }
  return groups;
}

function pack(
  head: SignedHead,
  documents: readonly FlagDocument[],
  index: number,
  count: number,
): Uint8Array {
  const chunk = {
    schema: 'headgate.snapshot.v1',
    headDigest: headDigest(head.h),
    index,
    count,
    ...(index === 0 ? { head } : {}),
    documents,
  };
  return gzipSync(JSON.stringify(chunk));
}
