import type { EvaluableFlag, Evaluation, EvaluationReason } from './flag.js';

/** Everything that a flag's rule can come to. */
export interface Outcomes {
  /** What a rule's value names: null the default variant, anything else a variant. */
  of(value: unknown, isSplit: boolean): Evaluation;
}

export const outcomesOf = (flag: EvaluableFlag): Outcomes => {
  const byDefault = outcome(flag, flag.defaultVariant || null, 'DEFAULT');
  const matches = byVariant(flag, 'TARGETING_MATCH');
  const splits = byVariant(flag, 'SPLIT');
  return {
    of(value, isSplit) {
      if (value === null || value === undefined) return byDefault;
      const variant = typeof value === 'string' ? value : String(value);
      return (isSplit ? splits : matches).get(variant) ?? unknownVariant(flag, variant);
    },
  };
};

const byVariant = (flag: EvaluableFlag, reason: EvaluationReason): ReadonlyMap<string, Evaluation> =>
  new Map(Object.keys(flag.variants).map((variant) => [variant, outcome(flag, variant, reason)]));

export const outcome = (
  flag: EvaluableFlag,
  variant: string | null | undefined,
  reason: EvaluationReason,
): Evaluation => {
  if (variant === null || variant === undefined) return Object.freeze({ reason: 'DEFAULT' });
  return Object.hasOwn(flag.variants, variant)
    ? Object.freeze({ variant, value: flag.variants[variant], reason })
    : unknownVariant(flag, variant);
};

const unknownVariant = (flag: EvaluableFlag, variant: string): Evaluation =>
  failure('GENERAL', `flag ${flag.key} has no variant ${JSON.stringify(variant.slice(0, 100))}`);

export const failure = (errorCode: 'PARSE_ERROR' | 'GENERAL', errorMessage: string): Evaluation =>
  Object.freeze({ reason: 'ERROR', errorCode, errorMessage });
