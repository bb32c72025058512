import {
  CHANNEL_LIMITS,
  type Change,
  type ChannelHead,
  type Commit,
  type FlagDocument,
} from '@headgate/contracts';
import { canonicalJson } from '../canonical/canonical-json.js';
import { sha256Hex } from '../canonical/sha256.js';
import { DocumentSet } from '../channel/document-set.js';
import { measure } from '../channel/measure.js';
import { Refusal } from './refusal.js';

/** The documents as a set that gives the head's digest. Throws a `Refusal`. */
export function verifiedSet(h: ChannelHead, documents: readonly FlagDocument[]): DocumentSet {
  if (documents.length > CHANNEL_LIMITS.maxDocuments)
    throw new Refusal('too-large', `${documents.length} documents`);
  for (const document of documents) checkPlace(h, document);
  if (new Set(documents.map((document) => document.flagId)).size !== documents.length)
    throw new Refusal('malformed', 'a flag id comes twice');
  const set = DocumentSet.of(documents, boundedDigest);
  checkSet(h, set);
  return set;
}

/**
 * Applies the commit's changes to `set` in place when they give the digests of its head; else leaves `set` as it was and
 * throws a `Refusal`.
 */
export function applyCommit(set: DocumentSet, { head: { h }, changes }: Commit): void {
  const canonical = canonicalJson(changes);
  if (canonical.length > CHANNEL_LIMITS.maxCommitBytes)
    throw new Refusal('too-large', `changes of ${canonical.length} bytes`);
  if (sha256Hex(canonical) !== h.changesDigest)
    throw new Refusal('digest-mismatch', `the changes of commit ${h.n} do not give its changesDigest`);
  if (new Set(changes.map((change) => change.flagId)).size !== changes.length)
    throw new Refusal('malformed', `commit ${h.n} changes a flag twice`);
  const puts = changes.map((change) => putOf(h, change));
  const undo = changes.map(({ flagId }) => restore(set, flagId));
  for (const put of puts) put(set);
  try {
    checkSet(h, set);
  } catch (refusal) {
    for (const back of undo) back();
    throw refusal;
  }
}

function putOf(h: ChannelHead, { flagId, doc }: Change): (set: DocumentSet) => void {
  if (doc === null) return (set) => set.remove(flagId);
  if (doc.flagId !== flagId) throw new Refusal('malformed', `a change of ${flagId} carries ${doc.flagId}`);
  checkPlace(h, doc);
  const digest = boundedDigest(doc);
  return (set) => set.put(doc, digest);
}

function restore(set: DocumentSet, flagId: string): () => void {
  const document = set.documents.get(flagId);
  const digest = set.digests.get(flagId);
  if (document === undefined || digest === undefined) return () => set.remove(flagId);
  return () => set.put(document, digest);
}

function checkPlace(h: ChannelHead, { flagId, project, channel }: FlagDocument): void {
  if (project !== h.project || channel !== h.channel)
    throw new Refusal('wrong-channel', `flag ${flagId} belongs to ${project}/${channel}`);
}

function checkSet(h: ChannelHead, set: DocumentSet): void {
  if (set.size > CHANNEL_LIMITS.maxDocuments) throw new Refusal('too-large', `${set.size} documents`);
  if (set.size !== h.documentCount || set.digest() !== h.setDigest)
    throw new Refusal('digest-mismatch', `the documents of head ${h.n} do not give its setDigest`);
}

function boundedDigest(document: FlagDocument): string {
  const { digest, bytes } = measure(document);
  if (bytes > CHANNEL_LIMITS.maxDocumentBytes)
    throw new Refusal('too-large', `the document of flag ${document.flagId} has ${bytes} bytes`);
  return digest;
}
