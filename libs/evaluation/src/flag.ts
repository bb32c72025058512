/** What evaluation needs of a flag document: a flagd flag definition and its key. Anything else is ignored. */
export interface EvaluableFlag {
  readonly key: string;
  readonly state: 'ENABLED' | 'DISABLED';
  readonly variants: { readonly [variant: string]: unknown };
  readonly defaultVariant?: string | null | undefined;
  readonly targeting?: unknown;
}

/** The caller's attributes; `targetingKey` makes assignment sticky (OpenFeature). */
export interface EvaluationContext {
  readonly targetingKey?: string | undefined;
  readonly [attribute: string]: unknown;
}

export type EvaluationReason = 'STATIC' | 'TARGETING_MATCH' | 'SPLIT' | 'DEFAULT' | 'DISABLED' | 'ERROR';

/** One per possible outcome and flag, made when the flag is compiled; never mutated. */
export interface Evaluation {
  /** Absent, like `value`, when the caller has to use the default in its code. */
  readonly variant?: string;
  readonly value?: unknown;
  readonly reason: EvaluationReason;
  readonly errorCode?: 'PARSE_ERROR' | 'GENERAL';
  readonly errorMessage?: string;
}

export type Evaluator = (context: EvaluationContext) => Evaluation;
