import { CHANNEL_LIMITS, type Change, change } from '@headgate/contracts';
import { canonicalJson } from '../canonical/canonical-json.js';

/** Throws for a change that no commit can carry: it cannot be signed, or readers would refuse it, and the whole commit with it. */
export function checkChange(made: Change): void {
  // As the commit's digest is taken, so that depth counts from the same place.
  const bytes = Buffer.byteLength(canonicalJson([made]));
  if (made.doc !== null && bytes > CHANNEL_LIMITS.maxDocumentBytes)
    throw new Error(`its document has ${bytes} bytes, too many to publish`);
  const read = change.safeParse(made);
  if (read.success) return;
  const [issue] = read.error.issues;
  throw new Error(`readers would refuse its document: ${issue?.path.join('.')}: ${issue?.message}`);
}
