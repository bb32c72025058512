import type { JsonValue, Serve } from '@headgate/contracts';

export const WHOLE_PPM = 1_000_000;
const NOW: JsonValue = { var: '$flagd.timestamp' };

export interface CompiledServe {
  readonly expression: JsonValue;
  /** Attribute that must be there for the expression to mean anything; null: none. */
  readonly needs: string | null;
}

/** A variant's name, or a split by bucket. `seed` and `defaultVariant` are the flag's. */
export const compileServe = (serve: Serve, seed: string, defaultVariant: string | null): CompiledServe => {
  if ('variant' in serve) return { expression: serve.variant, needs: null };
  const needs = serve.bucketBy ?? 'targetingKey';
  const bucketKey: JsonValue = { cat: [serve.seed ?? seed, { var: needs }] };
  if ('split' in serve) {
    const arms = serve.split.map(({ variant, weightPpm }): JsonValue => [variant, weightPpm]);
    return { expression: { fractional: [bucketKey, ...arms] }, needs };
  }
  const { variant, rest, from, to } = serve.ramp;
  const weight = weightBetween(from, to);
  const others = { '-': [WHOLE_PPM, weight] };
  // The ramp's variant stands first: while its weight rises, it only gains members.
  return {
    expression: { fractional: [bucketKey, [variant, weight], [rest ?? defaultVariant, others]] },
    needs,
  };
};

type AtWeight = { readonly at: number; readonly weightPpm: number };

/**
 * The integer weight at the time of evaluation, in flagd's operators. The share of the time that has passed is taken first,
 * because it is exactly 1 at the end; multiplying first could end one part per million short.
 */
const weightBetween = (from: AtWeight, to: AtWeight): JsonValue => {
  const [start, span] = [from.at / 1_000, (to.at - from.at) / 1_000];
  const passed = { max: [0, { min: [span, { '-': [NOW, start] }] }] };
  const exact = {
    '+': [from.weightPpm, { '*': [to.weightPpm - from.weightPpm, { '/': [passed, span] }] }],
  };
  return { '-': [exact, { '%': [exact, 1] }] };
};
