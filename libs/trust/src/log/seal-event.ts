import type { EventEnvelope, LogPosition } from '@headgate/contracts';
import { canonicalJson } from '../canonical/canonical-json.js';
import { sha256Hex } from '../canonical/sha256.js';

const FIRST_PREV_HASH = '0'.repeat(64);

export type EventDraft = Omit<EventEnvelope, 'dataHash' | 'hash' | 'prevHash' | 'epoch' | 'position'>;

/** The draft in its place behind `previous` (null: the project's first event). Throws for data that has no canonical form. */
export function sealEvent(draft: EventDraft, previous: LogPosition | null, epoch: number): EventEnvelope {
  if (draft.salt === null) throw new Error(`event ${draft.id} has no salt: only a redaction removes it`);
  if (previous !== null && epoch < previous.epoch)
    throw new Error(`event ${draft.id} would go back from epoch ${previous.epoch} to ${epoch}`);
  const placed = {
    ...draft,
    epoch,
    position: previous === null ? 1 : previous.position + 1,
    prevHash: previous === null ? FIRST_PREV_HASH : previous.hash,
    dataHash: dataHash(draft.salt, draft.data),
  };
  return { ...placed, hash: envelopeHash(placed) };
}

/**
 * Null when the event follows `previous` and is intact, else what is wrong. A redacted event (no salt, no data) is intact: its
 * envelope keeps the digest of what was there.
 */
export function checkEvent(event: EventEnvelope, previous: LogPosition | null): string | null {
  const position = previous === null ? 1 : previous.position + 1;
  const prevHash = previous === null ? FIRST_PREV_HASH : previous.hash;
  if (event.position !== position) return `position is ${event.position}, expected ${position}`;
  if (previous !== null && event.epoch < previous.epoch)
    return `epoch goes back from ${previous.epoch} to ${event.epoch}`;
  if (event.prevHash !== prevHash)
    return `prevHash at position ${position} is not the hash of the event before`;
  try {
    if (event.salt === null) {
      if (event.data !== null) return `data at position ${position} has no salt to check it with`;
    } else if (dataHash(event.salt, event.data) !== event.dataHash)
      return `data at position ${position} does not give its dataHash`;
    if (envelopeHash(event) !== event.hash) return `envelope at position ${position} does not give its hash`;
  } catch (error) {
    return `event at position ${position} has no canonical form: ${(error as Error).message}`;
  }
  return null;
}

const dataHash = (salt: string, data: unknown): string =>
  sha256Hex(Buffer.concat([Buffer.from(salt, 'hex'), Buffer.from(canonicalJson(data))]));

function envelopeHash(event: Omit<EventEnvelope, 'hash'>): string {
  const { data: _data, salt: _salt, hash: _hash, ...envelope } = event as EventEnvelope;
  return sha256Hex(canonicalJson(envelope));
}
