import type { FlagDocument } from '@headgate/contracts';

/** A verified kill of a flag that the served document may not show. */
export interface KeptKill {
  readonly flagId: string;
  readonly at: number;
  readonly why: string;
  /** Of the head under which the kill was seen. */
  readonly epoch: number;
  readonly n: number;
}

interface Place {
  readonly epoch: number;
  readonly n: number;
}

/**
 * Kills that hold over the served documents: those of commits newer than an expired beat may advance to, and those of an
 * earlier epoch until a document of the new one lifts them by name.
 */
export class KillMask {
  readonly #kills = new Map<string, KeptKill>();

  constructor(kills: Iterable<KeptKill> = []) {
    for (const kill of kills) this.#kills.set(kill.flagId, kill);
  }

  get kills(): readonly KeptKill[] {
    return [...this.#kills.values()];
  }

  get isEmpty(): boolean {
    return this.#kills.size === 0;
  }

  /** Adds the kills among `documents` of the head at `place`; never lifts one. */
  keep(documents: Iterable<FlagDocument>, { epoch, n }: Place): void {
    for (const { flagId, killed } of documents)
      if (killed !== undefined) this.#kills.set(flagId, { flagId, at: killed.at, why: killed.why, epoch, n });
  }

  /** `documents` of the head at `place` are now served: lets go of the kills that they include or lift. */
  settle(documents: ReadonlyMap<string, FlagDocument>, { epoch, n }: Place): void {
    for (const kill of this.#kills.values()) {
      const document = documents.get(kill.flagId);
      const isBehind = epoch < kill.epoch || (epoch === kill.epoch && n < kill.n);
      const isOldWord =
        epoch > kill.epoch && (document?.epoch ?? 0) < epoch && document?.killed === undefined;
      if (!isBehind && !isOldWord) this.#kills.delete(kill.flagId);
    }
  }

  /** The same map when nothing is kept, else a copy with the kept kills in it. */
  over(documents: ReadonlyMap<string, FlagDocument>): ReadonlyMap<string, FlagDocument> {
    if (this.isEmpty) return documents;
    const masked = new Map(documents);
    for (const { flagId, at, why } of this.#kills.values()) {
      const document = documents.get(flagId);
      if (document !== undefined && document.killed === undefined)
        masked.set(flagId, { ...document, state: 'DISABLED', killed: { at, why } });
    }
    return masked;
  }
}
