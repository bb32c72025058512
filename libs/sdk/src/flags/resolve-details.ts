import type { Evaluation } from '@headgate/evaluation';
import type { Freshness } from '@headgate/trust';
import type { FlagDetails, FlagErrorCode, FlagMetadata } from '../headgate.js';
import { describe } from '../options/read-options.js';

export type FlagValue = boolean | string | number | object;

export interface Resolution<T> {
  readonly fallback: T;
  /** What the flag's value has to be: the type of `fallback` when absent. */
  readonly type?: string;
  readonly hasFlags: boolean;
  readonly freshness: Freshness;
  readonly evaluate: () => Evaluation | undefined;
  readonly metadata?: FlagMetadata;
  readonly position?: number | undefined;
  readonly flagDigest?: string | undefined;
}

const NO_METADATA: FlagMetadata = Object.freeze({});

/** An evaluation with everything that explains it; the fallback wherever there is no value of its type. Never throws. */
export const resolveDetails = <T extends FlagValue>(resolution: Resolution<T>): FlagDetails<T> => {
  const { fallback, type = typeof fallback, freshness, position, flagDigest } = resolution;
  const common = {
    stale: freshness.status === 'stale',
    ageMs: freshness.ageMs,
    metadata: resolution.metadata ?? NO_METADATA,
    ...(position === undefined ? {} : { position }),
    ...(flagDigest === undefined ? {} : { flagDigest }),
  };
  const failed = (code: FlagErrorCode, message: string): FlagDetails<T> => ({
    ...common,
    value: fallback,
    reason: 'ERROR',
    error: { code, message },
  });
  let evaluation: Evaluation | undefined;
  try {
    evaluation = resolution.evaluate();
  } catch (error) {
    return failed('INVALID_CONTEXT', `the context cannot be read: ${describe(error)}`);
  }
  if (evaluation === undefined) {
    return resolution.hasFlags
      ? failed('FLAG_NOT_FOUND', 'the channel has no such flag')
      : failed('PROVIDER_NOT_READY', 'no flags have been verified yet');
  }
  const { value, variant, reason, errorCode, errorMessage } = evaluation;
  if (reason === 'ERROR') return failed(errorCode ?? 'GENERAL', errorMessage ?? 'evaluation failed');
  if (value === undefined || variant === undefined) return { ...common, value: fallback, reason };
  if (typeof value !== type || value === null) {
    return failed('TYPE_MISMATCH', `the flag is of type ${typeof value}, asked for ${type}`);
  }
  return { ...common, value: value as T, variant, reason: common.stale ? 'STALE' : reason };
};
