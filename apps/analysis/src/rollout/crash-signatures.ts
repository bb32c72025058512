import { OWN_SITE, type Signal } from '@headgate/judge';

/** Enough for any software that names its crashes; beyond this, signatures are not names and say nothing. */
const MAX_KNOWN = 10_000;
/** New ones kept for the judge, to whom one site's crashes are one source however many they are. */
const MAX_NEW = 100;
/** So that one instance cannot fill the table, by accident or on purpose. */
const MAX_PER_INSTANCE = 20;
const MAX_DETAIL = 300;

export interface SeenCrash {
  readonly instance: string;
  readonly signature: string;
  /** When it was received. */
  readonly at: number;
  /** The instance was on the new path when it crashed. */
  readonly isCanary: boolean;
}

interface Fresh {
  readonly at: number;
  readonly instances: Set<string>;
}

/**
 * Which crash signatures are new with the new path: those that canaries reported and nobody did in the pre-period, nor the baseline
 * since. What the baseline shows later is taken back. A function of the crashes in their order.
 */
export class CrashSignatures {
  readonly #known = new Set<string>();
  readonly #fresh = new Map<string, Fresh>();
  readonly #named = new Map<string, number>();

  see({ instance, signature, at, isCanary }: SeenCrash): void {
    if (this.#known.has(signature)) return;
    const fresh = this.#fresh.get(signature);
    if (isCanary && fresh) {
      if (fresh.instances.size < MAX_NEW) fresh.instances.add(instance);
      return;
    }
    const named = (this.#named.get(instance) ?? 0) + 1;
    if (named > MAX_PER_INSTANCE) return;
    this.#named.set(instance, named);
    if (!isCanary) {
      this.#fresh.delete(signature);
      if (this.#known.size < MAX_KNOWN) this.#known.add(signature);
    } else if (this.#fresh.size < MAX_NEW) this.#fresh.set(signature, { at, instances: new Set([instance]) });
  }

  /** When the first of them after `time` became known; null for none. */
  firstSince(time: number): number | null {
    let first = Number.POSITIVE_INFINITY;
    for (const { at } of this.#fresh.values()) if (at > time) first = Math.min(first, at);
    return Number.isFinite(first) ? first : null;
  }

  /** None when there were more signatures to know than can be known: a new one could not be told from an old one. */
  signals(): readonly Signal[] {
    if (this.#known.size >= MAX_KNOWN) return [];
    return Array.from(this.#fresh, ([signature, { at, instances }]) => ({
      kind: 'crash',
      source: OWN_SITE,
      at,
      detail: `new crash signature "${signature.slice(0, MAX_DETAIL)}" on ${instances.size} of the canary instances`,
    }));
  }
}
