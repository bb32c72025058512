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

/** Raw bytes aimed at per chunk: flag documents shrink about tenfold, and a reader unpacks one chunk at a time. */
const RAW_TARGET_BYTES = 1_048_576;
/** No chunk unpacks to more: a gzip bomb stops here. */
const MAX_RAW_BYTES = 4 * RAW_TARGET_BYTES;
/** The final count may take more digits than the one tried. */
const HEADROOM_BYTES = 64;

/** The channel's whole state as gzip chunks of at most 256 KiB, in order; chunk 0 carries the head. */
export function snapshotChunks(head: SignedHead, documents: Iterable<FlagDocument>): Uint8Array[] {
  const groups = groupsBySize(documents).flatMap((group, i) => splitToFit(head, group, i === 0));
  return groups.map((group, index) => pack(head, group, index, groups.length));
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

function groupsBySize(documents: Iterable<FlagDocument>): FlagDocument[][] {
  const groups: FlagDocument[][] = [[]];
  let bytes = 0;
  for (const document of documents) {
    const size = Buffer.byteLength(canonicalJson(document));
    if (bytes > 0 && bytes + size > RAW_TARGET_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(document);
    bytes += size;
  }
  return groups;
}

function splitToFit(head: SignedHead, group: FlagDocument[], isFirst: boolean): FlagDocument[][] {
  const bytes = pack(head, group, isFirst ? 0 : 1, 2).length;
  if (bytes <= CHANNEL_LIMITS.maxChunkBytes - HEADROOM_BYTES || group.length < 2) return [group];
  const middle = group.length >>> 1;
  return [
    ...splitToFit(head, group.slice(0, middle), isFirst),
    ...splitToFit(head, group.slice(middle), false),
  ];
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
  return gzipSync(canonicalJson(chunk));
}
