import type { FlagDocument } from '@headgate/contracts';
import { sha256Hex } from '../canonical/sha256.js';

const ID_BYTES = 16;
const ENTRY_BYTES = ID_BYTES + 32;

/**
 * The documents of one channel with the bytes that `setDigest` is taken over kept sorted, so that a small change costs one
 * pass of SHA-256 (240 kB for 5,000 flags) and no sorting. Owned by whoever made it; changed in place.
 */
export class DocumentSet {
  readonly documents = new Map<string, FlagDocument>();
  readonly digests = new Map<string, string>();
  readonly #ids: string[] = [];
  #entries = Buffer.alloc(64 * ENTRY_BYTES);

  /** `digestOf` is called once per document. Throws when a flag id comes twice. */
  static of(documents: Iterable<FlagDocument>, digestOf: (document: FlagDocument) => string): DocumentSet {
    const set = new DocumentSet();
    const sorted = [...documents].sort((a, b) => (a.flagId < b.flagId ? -1 : 1));
    for (const document of sorted) {
      if (set.documents.has(document.flagId)) throw new Error(`flag ${document.flagId} comes twice`);
      set.put(document, digestOf(document));
    }
    return set;
  }

  static ofDigests(digests: ReadonlyMap<string, string>): DocumentSet {
    const set = new DocumentSet();
    for (const id of [...digests.keys()].sort()) set.#write(id, digests.get(id) as string);
    return set;
  }

  get size(): number {
    return this.#ids.length;
  }

  put(document: FlagDocument, digest: string): void {
    this.documents.set(document.flagId, document);
    this.#write(document.flagId, digest);
  }

  remove(flagId: string): void {
    if (!this.documents.delete(flagId)) return;
    this.digests.delete(flagId);
    const at = this.#find(flagId);
    this.#ids.splice(at, 1);
    this.#entries.copyWithin(at * ENTRY_BYTES, (at + 1) * ENTRY_BYTES, (this.size + 1) * ENTRY_BYTES);
  }

  digest(): string {
    return sha256Hex(this.#entries.subarray(0, this.size * ENTRY_BYTES));
  }

  clone(): DocumentSet {
    const copy = new DocumentSet();
    for (const [id, document] of this.documents) copy.documents.set(id, document);
    for (const [id, digest] of this.digests) copy.digests.set(id, digest);
    for (const id of this.#ids) copy.#ids.push(id);
    copy.#entries = Buffer.from(this.#entries);
    return copy;
  }

  /** In the order of flag ids. */
  *sorted(): Generator<FlagDocument> {
    for (const id of this.#ids) yield this.documents.get(id) as FlagDocument;
  }

  #write(flagId: string, digest: string): void {
    const at = this.#find(flagId);
    if (this.#ids[at] !== flagId) this.#open(at, flagId);
    this.digests.set(flagId, digest);
    this.#entries.write(digest, at * ENTRY_BYTES + ID_BYTES, 'hex');
  }

  #open(at: number, flagId: string): void {
    const used = this.size * ENTRY_BYTES;
    if (used + ENTRY_BYTES > this.#entries.length)
      this.#entries = Buffer.concat([this.#entries, Buffer.alloc(this.#entries.length)]);
    this.#entries.copyWithin((at + 1) * ENTRY_BYTES, at * ENTRY_BYTES, used);
    this.#entries.write(flagId.replaceAll('-', ''), at * ENTRY_BYTES, 'hex');
    this.#ids.splice(at, 0, flagId);
  }

  /** Where the id stands, or where it would. */
  #find(flagId: string): number {
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ids[middle] as string) < flagId) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
