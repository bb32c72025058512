import type { FlagDocument } from '@headgate/contracts';
import { canonicalJson } from '../canonical/canonical-json.js';
import { sha256Hex } from '../canonical/sha256.js';

export interface DocumentMeasure {
  readonly digest: string;
  /** Of its canonical form, in UTF-8. */
  readonly bytes: number;
}

const measured = new WeakMap<FlagDocument, DocumentMeasure>();

/** Digest and size of a document, worked out once per object: documents are never changed, only replaced. */
export function measure(document: FlagDocument): DocumentMeasure {
  const known = measured.get(document);
  if (known !== undefined) return known;
  const canonical = canonicalJson(document);
  const made = { digest: sha256Hex(canonical), bytes: Buffer.byteLength(canonical) };
  measured.set(document, made);
  return made;
}
