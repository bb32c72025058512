import type { Change, FlagDocument } from '@headgate/contracts';
import { compileFlag, type Evaluation, type EvaluationContext, type Evaluator } from '@headgate/evaluation';
import { attributesRead, type Completion, completionOf } from './base-attributes.js';
import { Exposures, type FlagExposures } from './exposures.js';
import { UnknownFlags } from './unknown-flags.js';

interface FlagEntry {
  readonly document: FlagDocument;
  readonly isInRollout: boolean;
  readonly exposures: FlagExposures;
  /** Null until the flag is asked for. */
  evaluator: Evaluator | null;
  /** From the base context; null for a flag that reads no context. */
  complete: Completion | null;
  hasForeignKey: boolean;
}

/** The flags in force, by key, compiled when they are first asked for. */
export class FlagBook {
  readonly exposures = new Exposures();
  readonly unknownFlags = new UnknownFlags();
  private readonly entries = new Map<string, FlagEntry>();
  private readonly keys = new Map<string, string>();
  private readonly reporting = new Map<string, number>();
  /** False until the first verified state: before it every key is unknown, which says nothing about the code. */
  hasFlags = false;

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

  /**
   * What the flag gives, counted: as its variant, or as the code's default where the value is of another type than the code
   * asks for. Undefined when there is no such flag. Throws only what a context's own code throws.
   */
  serve(key: string, type: string, context: EvaluationContext | undefined): Evaluation | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) {
      if (this.hasFlags) this.unknownFlags.add(key);
      return undefined;
    }
    const evaluation = this.evaluate(entry, context);
    const { value } = evaluation;
    entry.exposures.add(typeof value === type && value !== null ? evaluation.variant : undefined);
    return evaluation;
  }

  private evaluate(entry: FlagEntry, context: EvaluationContext | undefined): Evaluation {
    const evaluator = entry.evaluator ?? this.compile(entry);
    if (entry.complete === null || typeof context !== 'object' || context === null)
      return evaluator(this.baseContext);
    const asked = entry.complete(context);
    if (entry.isInRollout && asked.targetingKey !== this.baseContext.targetingKey) this.noteForeignKey(entry);
    const evaluation = evaluator(asked);
    // The evaluator catches what a getter throws; copying tells that apart from a rule that fails.
    if (evaluation.reason === 'ERROR') void { ...context };
    return evaluation;
  }

  /** The shortest interval that a rollout under way asks for; null without one. */
  get reportEveryMs(): number | null {
    return this.reporting.size === 0 ? null : Math.min(...this.reporting.values());
  }

  private compile(entry: FlagEntry): Evaluator {
    const { document } = entry;
    const readsContext = document.state === 'ENABLED' && document.targeting !== undefined;
    const names = () => attributesRead(document.targeting, Object.keys(this.baseContext));
    entry.complete = readsContext ? completionOf(this.baseContext, names()) : null;
    entry.evaluator = compileFrozen(document, this.now);
    return entry.evaluator;
  }

  /** The judge compares instances by their own buckets: assigned by another key, both arms would look alike. */
  private noteForeignKey(entry: FlagEntry): void {
    if (entry.hasForeignKey) return;
    entry.hasForeignKey = true;
    this.complain(
      `flag ${entry.document.key} is in a rollout and evaluated with a targetingKey of the caller`,
    );
  }

  private put(flagId: string, document: FlagDocument): void {
    const { key, rollout } = document;
    const before = this.keys.get(flagId);
    if (before !== undefined && before !== key) this.remove(flagId, before);
    this.unknownFlags.delete(key);
    this.entries.set(key, {
      document,
      complete: null,
      isInRollout: rollout !== undefined,
      exposures: this.exposures.of(key),
      evaluator: null,
      hasForeignKey: false,
    });
    this.keys.set(flagId, key);
    if (rollout?.reportEveryMs === undefined) this.reporting.delete(flagId);
    else this.reporting.set(flagId, rollout.reportEveryMs);
  }

  private remove(flagId: string, key: string): void {
    this.keys.delete(flagId);
    this.reporting.delete(flagId);
    if (this.entries.get(key)?.document.flagId !== flagId) return;
    this.entries.delete(key);
    this.exposures.end(key);
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
