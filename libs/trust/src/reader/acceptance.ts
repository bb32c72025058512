import type { Change, FlagDocument } from '@headgate/contracts';
import { NotCanonical } from '../canonical/canonical-json.js';
import { measure } from '../channel/measure.js';
import { Refusal, type RefusalCode } from './refusal.js';

export type Acceptance =
  /** `changed`: what is served differently now, kept kills included. Empty for what was known already. */
  | { readonly ok: true; readonly changed: readonly Change[] }
  /** Nothing changed. `gap`: ask for a new state; every other code: the source is wrong, or merely late (`rolled-back`). */
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string };

/** A refusal as a value; anything else thrown is a bug and goes on up. */
export function attempt(accept: () => readonly Change[]): Acceptance {
  try {
    return { ok: true, changed: accept() };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, code: error.code, message: error.message };
    if (error instanceof NotCanonical) return { ok: false, code: 'malformed', message: error.message };
    throw error;
  }
}

/** What turns the documents `before` into those `after`. */
export function difference(
  before: ReadonlyMap<string, FlagDocument>,
  after: ReadonlyMap<string, FlagDocument>,
): readonly Change[] {
  if (before === after) return [];
  const changed: Change[] = [];
  for (const flagId of before.keys()) if (!after.has(flagId)) changed.push({ flagId, doc: null });
  for (const [flagId, doc] of after) {
    const old = before.get(flagId);
    if (old !== doc && measure(doc).digest !== (old && measure(old).digest)) changed.push({ flagId, doc });
  }
  return changed;
}
