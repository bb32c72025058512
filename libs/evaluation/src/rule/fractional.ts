import { scaleHash } from '../bucket.js';
import { murmur3 } from '../murmur3.js';
import { constant, isLiteral, type Operator, type RuleCompiler, type Term } from './term.js';

export const MAX_TOTAL = 2_147_483_647;

interface Share {
  readonly variant: Term;
  readonly weight: Term;
}

/**
 * flagd's `fractional`, version 2: `[bucketBy?, [variant, weight?], …]`. The first share whose running sum passes
 * `(uint64(murmur3(bucketBy)) * total) >> 32` is served; anything malformed gives null, as in flagd.
 */
export const fractional: Operator = (args, compiler) => {
  const [first, ...rest] = args;
  // Shares are lists as written; anything else in front says what to bucket by.
  const hasKey = !Array.isArray(first);
  const shares = sharesOf(hasKey ? rest : args, compiler);
  if (!shares) return constant(null);
  const key = hasKey ? compiler.compile(first ?? null) : null;
  const fixed = fixedTotal(hasKey ? rest : args);
  const { frame } = compiler;
  return (data) => {
    const bucketBy = bucketKey(key === null ? null : key(data), frame.context, frame.flagKey);
    if (bucketBy === null) return null;
    const total = fixed ?? totalOf(shares, data);
    if (total === null) return null;
    frame.isSplit = true;
    return pick(shares, scaleHash(murmur3(bucketBy), total), data);
  };
};

const sharesOf = (args: readonly unknown[], { compile }: RuleCompiler): readonly Share[] | null => {
  const shares: Share[] = [];
  for (const share of args) {
    if (!Array.isArray(share) || share.length === 0 || share.length > 2) return null;
    shares.push({ variant: compile(share[0]), weight: compile(share.length === 2 ? share[1] : 1) });
  }
  return shares.length === 0 ? null : shares;
};

/** The sum of the weights when all of them are written as numbers, as nearly always. */
const fixedTotal = (args: readonly unknown[]): number | null => {
  let total = 0;
  for (const share of args as readonly (readonly unknown[])[]) {
    const weight = share.length === 2 ? share[1] : 1;
    if (!isLiteral(weight) || !Number.isInteger(weight)) return null;
    total += Math.max(0, weight as number);
  }
  return total <= MAX_TOTAL ? total : null;
};

const weightOf = (share: Share, data: unknown): number | null => {
  const weight = share.weight(data);
  // Ramps over time can pass below zero; that is a share of nothing, not an error.
  return Number.isInteger(weight) ? Math.max(0, weight as number) : null;
};

const totalOf = (shares: readonly Share[], data: unknown): number | null => {
  let total = 0;
  for (const share of shares) {
    const weight = weightOf(share, data);
    if (weight === null) return null;
    total += weight;
  }
  return total <= MAX_TOTAL ? total : null;
};

const bucketKey = (key: unknown, context: unknown, flagKey: string): string | null => {
  if (typeof key === 'string') return key;
  if (context === null || typeof context !== 'object') return null;
  const { targetingKey } = context as { targetingKey?: unknown };
  return typeof targetingKey === 'string' && targetingKey !== '' ? flagKey + targetingKey : null;
};

const pick = (shares: readonly Share[], bucket: number, data: unknown): unknown => {
  let sum = 0;
  for (let i = 0; i < shares.length; i += 1) {
    const share = shares[i]!;
    sum += weightOf(share, data) ?? 0;
    if (bucket < sum) {
      const variant = share.variant(data);
      return variant !== null && typeof variant === 'object' ? null : variant;
    }
  }
  return null;
};
