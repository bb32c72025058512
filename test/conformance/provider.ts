import { compileFlag, type EvaluableFlag } from '@headgate/evaluation';

/** What a provider makes of an evaluation: the caller's type and fallback come in here, and SPLIT is ours alone. */
export interface Details {
  readonly value: unknown;
  readonly variant?: string;
  readonly reason: string;
  readonly errorCode?: string;
}

export const resolveFlag = (
  flag: EvaluableFlag | null,
  asked: { readonly type: string; readonly fallback: unknown },
  context: Readonly<Record<string, unknown>>,
  now?: () => number,
): Details => {
  const refused = (errorCode: string) => ({ value: asked.fallback, reason: 'ERROR', errorCode });
  if (!flag) return refused('FLAG_NOT_FOUND');
  const { variant, value, reason, errorCode } = compileFlag(flag, now ? { now } : {})(context);
  if (errorCode) return refused(errorCode);
  if (variant === undefined) return { value: asked.fallback, reason };
  if (typeof value !== asked.type) return refused('TYPE_MISMATCH');
  return { value, variant, reason: reason === 'SPLIT' ? 'TARGETING_MATCH' : reason };
};
