import type { Change, FlagDocument } from '@headgate/contracts';
import { compileFlag, type Evaluation, type EvaluationContext, type Evaluator } from '@headgate/evaluation';

export interface Exposure {
  /** Name of the variant served last; undefined while only the code's default was. */
  variant: string | undefined;
}

interface FlagEntry {
  readonly document: FlagDocument;
  readonly needsContext: boolean;
  readonly exposure: Exposure;
  evaluator: Evaluator | null;
  hasForeignKey: boolean;
}

/** The flags in force, by key, compiled when they are first asked for. */
export class FlagBook {
  private readonly entries = new Map<string, FlagEntry>();
  private readonly keys = new Map<string, string>();
  private readonly exposures = new Map<string, Exposure>();
  private readonly reporting = new Map<string, number>();

  constructor(
    private readonly now: () => number,
    /** For flags that ask who evaluates: under what the caller passes. */
    private readonly baseContext: EvaluationContext,
    private readonly complain: (message: string) => void,
  ) {}

  /** The keys that changed. Ends come first, so that a key that moved to another flag is not lost. */
  apply(changes: readonly Change[]): { readonly key: string; readonly document: FlagDocument | null }[] {
    const changed: { key: string; document: FlagDocument | null }[] = [];
    for (const { flagId, doc } of changes) {
      const key = this.keys.get(flagId);
      if (doc !== null || key === undefined) continue;
      this.remove(flagId, key);
      changed.push({ key, document: null });
    }
    for (const { flagId, doc } of changes) {
      if (doc === null) continue;
      this.put(flagId, doc);
      changed.push({ key: doc.key, document: doc });
    }
    return changed;
  }

  find(key: string): FlagDocument | undefined {
    return this.entries.get(key)?.document;
  }

  /** Undefined when there is no such flag. Throws only what a context's own code throws. */
  evaluate(key: string, context: EvaluationContext | undefined): Evaluation | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    entry.evaluator ??= compileFrozen(entry.document, this.now);
    const asked = entry.needsContext ? this.contextOf(context) : this.baseContext;
    if (asked.targetingKey !== this.baseContext.targetingKey) this.noteForeignKey(entry);
    const evaluation = entry.evaluator(asked);
    entry.exposure.variant = evaluation.variant;
    return evaluation;
  }

  /** Variant served last of every flag that was evaluated in this process. */
  *served(): Generator<{ readonly name: string; readonly value: string }> {
    for (const [name, { variant }] of this.exposures) {
      if (variant !== undefined) yield { name, value: variant };
    }
  }

  /** The shortest interval that a rollout under way asks for; null without one. */
  get reportEveryMs(): number | null {
    return this.reporting.size === 0 ? null : Math.min(...this.reporting.values());
  }

  /** The judge compares instances by their own buckets: assigned by another key, both arms would look alike. */
  private noteForeignKey(entry: FlagEntry): void {
    if (entry.hasForeignKey || entry.document.rollout === undefined) return;
    entry.hasForeignKey = true;
    this.complain(
      `flag ${entry.document.key} is in a rollout and evaluated with a targetingKey of the caller`,
    );
  }

  private contextOf(context: EvaluationContext | undefined): EvaluationContext {
    if (context === undefined || context === null) return this.baseContext;
    const merged = { ...this.baseContext, ...context };
    return merged.targetingKey === undefined
      ? { ...merged, targetingKey: this.baseContext.targetingKey }
      : merged;
  }

  private put(flagId: string, document: FlagDocument): void {
    const { key, rollout, state } = document;
    const before = this.keys.get(flagId);
    if (before !== undefined && before !== key) this.remove(flagId, before);
    let exposure = this.exposures.get(key);
    if (exposure === undefined) {
      exposure = { variant: undefined };
      this.exposures.set(key, exposure);
    }
    const needsContext = state === 'ENABLED' && document.targeting !== undefined;
    this.entries.set(key, { document, needsContext, exposure, evaluator: null, hasForeignKey: false });
    this.keys.set(flagId, key);
    if (rollout?.reportEveryMs === undefined) this.reporting.delete(flagId);
    else this.reporting.set(flagId, rollout.reportEveryMs);
  }

  private remove(flagId: string, key: string): void {
    this.keys.delete(flagId);
    this.reporting.delete(flagId);
    if (this.entries.get(key)?.document.flagId !== flagId) return;
    this.entries.delete(key);
    this.exposures.delete(key);
  }
}

/** Callers get a variant's object itself: one that changed it would change it for all. */
const compileFrozen = (document: FlagDocument, now: () => number): Evaluator => {
  freeze(document.variants);
  return compileFlag(document, { now });
};

const freeze = (value: unknown): void => {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member);
};
