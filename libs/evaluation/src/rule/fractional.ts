import { scaleHash } from '../bucket.js';
import { murmur3, murmur3After } from '../murmur3.js';
import {
  constant,
  type Frame,
  isLiteral,
  type Operator,
  type RuleCompiler,
  RuleFailed,
  type Term,
} from './term.js';
import { MAX_TEXT, textOfNull } from './text.js';

/** Weights sum to at most this, so that a bucket is exact. */
export const MAX_TOTAL = 2_147_483_647;

/**
 * flagd's `fractional`, version 2: `[bucketBy?, [variant, weight?], …]`. The first share whose running sum passes
 * `(uint64(murmur3(bucketBy)) * total) >> 32` is served; anything malformed gives null, as in flagd.
 */
export const fractional: Operator = (args, compiler) => {
  const { frame } = compiler;
  frame.usesBuckets = true;
  const split = splitOf(args, compiler);
  if (split === null) return dynamic(args, compiler);
  const { placeIn, limits, values, rest } = split;
  return (data) => {
    const at = placeIn(data);
    if (at > MAX_PLACE) return at === NOTHING ? null : rest(data);
    frame.isSplit = true;
    return values[shareAt(limits, at)] ?? null;
  };
};

/** The highest place, which is a hash in its order as a signed integer: 0 becomes -2^31. */
export const MAX_PLACE = 2_147_483_647;
/** In place of a place: the context has nothing to bucket by. */
export const NOTHING = 2 ** 40;
/** In place of a place: what should be bucketed by is a list, which flagd takes for a share. */
const LIST = 2 ** 41;

const hashOfText = murmur3After('');

const placeOf = (hash: number): number => hash ^ 0x80000000;

/** A split as nearly all are written: every variant and weight a literal. */
export interface Split {
  /** The place of what is bucketed by, or one of the two answers above every place. */
  readonly placeIn: (data: unknown) => number;
  /** A place below the limit of a share, and not below the one before, is in it: buckets without a multiplication. */
  readonly limits: readonly number[];
  readonly values: readonly unknown[];
  /** The value where what should be bucketed by is a list. */
  readonly rest: Term;
}

/** Null where the split is not written so. */
export const splitOf = (args: readonly unknown[], compiler: RuleCompiler): Split | null => {
  if (compiler.onBucket || compiler.isBare) return null;
  const hasKey = !Array.isArray(args[0]);
  const shares = hasKey ? args.slice(1) : args;
  if (shares.length === 0 || !shares.every(isPlainShare)) return null;
  const weights = shares.map(([, weight = 1]) => Math.max(0, weight));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0 || total > MAX_TOTAL) return null;
  const limits = limitsOf(weights, total);
  const values = shares.map(([variant]) => variant);
  const key = hasKey
    ? keyOf(args[0], compiler)
    : { placeIn: targetingKeyHash(compiler), term: constant(null) };
  const serve = server(compiler);
  return { placeIn: key.placeIn, limits, values, rest: (data) => serve([key.term(data), ...shares], data) };
};

type PlainShare = readonly [variant: unknown, weight?: number];

const isPlainShare = (share: unknown): share is PlainShare =>
  Array.isArray(share) &&
  (share.length === 1 || (share.length === 2 && Number.isInteger(share[1]))) &&
  isLiteral(share[0]);

/** The least hash whose bucket is not below the running sum: `hash * total < sum * 2^32`, worked out exactly. */
const limitsOf = (weights: readonly number[], total: number): readonly number[] => {
  let sum = 0n;
  return weights.map((weight) => {
    sum += BigInt(weight);
    return Number(((sum << 32n) + BigInt(total) - 1n) / BigInt(total)) - 2 ** 31;
  });
};

/** The last limit is above every place, so that there always is a share. */
export const shareAt = (limits: readonly number[], place: number): number => {
  let share = 0;
  while (place >= limits[share]!) share += 1;
  return share;
};

/** `{"cat": [texts…, rule]}` hashes its texts once; any other rule is hashed as it comes. */
const keyOf = (
  key: unknown,
  compiler: RuleCompiler,
): { readonly placeIn: Split['placeIn']; readonly term: Term } => {
  const { flagKey } = compiler.frame;
  const parts = key !== null && typeof key === 'object' ? (key as { readonly cat?: unknown }).cat : null;
  if (Array.isArray(parts) && parts.length > 1) {
    const prefix = parts
      .slice(0, -1)
      .map((part) => (isFlagKey(part) && !compiler.place.isInner ? flagKey : part));
    const last = parts[parts.length - 1];
    if (prefix.every((part) => typeof part === 'string') && !isLiteral(last)) {
      const ofNull = textOfNull(compiler.place.isInterpreted);
      return { placeIn: joinedHash(prefix.join(''), compiler.compile(last), ofNull), term: constant(null) };
    }
  }
  const term = compiler.compile(key);
  // kept for `rest`, because working a key out twice at every level takes for ever at a hundred
  let list: unknown = null;
  const placeIn: Split['placeIn'] = (data) => {
    const value = term(data);
    if (typeof value === 'string') return placeOf(hashOfText(value));
    list = value;
    return Array.isArray(value) ? LIST : NOTHING;
  };
  return { placeIn, term: () => list };
};

const isFlagKey = (part: unknown): boolean =>
  part !== null && typeof part === 'object' && (part as { readonly var?: unknown }).var === '$flagd.flagKey';

const joinedHash = (prefix: string, last: Term, ofNull: string): Split['placeIn'] => {
  const hashAfter = murmur3After(prefix);
  return (data) => {
    const value = last(data);
    const text = typeof value === 'string' ? value : join(value ?? ofNull);
    if (text.length > MAX_TEXT) throw new RuleFailed(`text longer than ${MAX_TEXT} characters`);
    return placeOf(hashAfter(text));
  };
};

/** As `cat` joins: JavaScript's own way from a value to a text. */
const join = (value: unknown): string => `${value}`;

const targetingKeyHash = ({ frame, place }: RuleCompiler): Split['placeIn'] => {
  const hashAfter = murmur3After(frame.flagKey ?? '');
  const contextOf = contextReader(frame, place.isInner);
  return (data) => {
    const key = targetingKeyOf(contextOf(data));
    return key === null ? NOTHING : placeOf(hashAfter(key));
  };
};

const contextReader = (frame: Frame, isInner: boolean): Term => {
  if (!isInner) return (data) => data;
  frame.usesContext = true;
  return () => frame.context;
};

const targetingKeyOf = (context: unknown): string | null => {
  if (context === null || typeof context !== 'object') return null;
  const { targetingKey } = context as { readonly targetingKey?: unknown };
  if (typeof targetingKey === 'string') return targetingKey === '' ? null : targetingKey;
  return targetingKey ? join(targetingKey) : null;
};

/** Any other form: everything is worked out first, as flagd does, then read. */
const dynamic: Operator = (args, compiler) => {
  const terms = args.map((arg) => compiler.compile(arg));
  const serve = server(compiler);
  return (data) => {
    const values = terms.map((term) => term(data));
    return serve(compiler.isBare && Array.isArray(values[0]) ? values[0] : values, data);
  };
};

/** Serves from arguments that were worked out: `[bucketBy?, [variant, weight?], …]`. */
const server = ({ frame, place, onBucket }: RuleCompiler) => {
  const contextOf = contextReader(frame, place.isInner);
  return (values: readonly unknown[], data: unknown): unknown => {
    const [key] = values;
    const hasKey = typeof key === 'string';
    const shares = sharesOf(hasKey ? values.slice(1) : values);
    const targetingKey = hasKey ? null : targetingKeyOf(contextOf(data));
    if (shares === null || (!hasKey && targetingKey === null)) return null;
    frame.isSplit = true;
    return pick(shares, hasKey ? key : `${frame.flagKey ?? ''}${targetingKey}`, onBucket);
  };
};

interface Share {
  readonly variant: unknown;
  readonly weight: number;
}

const sharesOf = (values: readonly unknown[]): readonly Share[] | null => {
  const shares: Share[] = [];
  for (const share of values) {
    if (!Array.isArray(share) || share.length === 0 || share.length > 2) return null;
    const [variant = null] = share;
    const weight = share.length === 2 ? share[1] : 1;
    if (variant !== null && typeof variant === 'object') return null;
    if (!Number.isInteger(weight)) return null;
    // ramps over time can pass below zero; that is a share of nothing, not an error
    shares.push({ variant, weight: Math.max(0, weight) });
  }
  return shares.reduce((sum, { weight }) => sum + weight, 0) <= MAX_TOTAL ? shares : null;
};

const pick = (shares: readonly Share[], bucketBy: string, onBucket: RuleCompiler['onBucket']): unknown => {
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  const bucket = scaleHash(murmur3(bucketBy), total);
  onBucket?.(bucketBy, bucket, total);
  let sum = 0;
  for (const { variant, weight } of shares) {
    sum += weight;
    if (bucket < sum) return variant;
  }
  return null;
};
