import type { RolloutPlan } from '../plan/rollout-plan.js';
import type { LimitState } from './hard-limits.js';
import { OWN_SITE, type Signal } from './signal.js';

export interface SignalWeight {
  /** `enough` ends the rollout, `alone` is one that nobody has confirmed, `none` holds nothing up. */
  readonly heed: 'none' | 'alone' | 'enough';
  readonly sources: number;
}

/** Up to here a rollout is a trial of few, and one signal is worth more than the few. */
const lowWeightPpm = 100_000;
const sitesNeeded = 2;

/**
 * What the signals say at this step (small-fleets.md §3): one is enough at 10 % and below; later two distinct sites or one vendor are.
 * One alone holds the step in which it became known, and no later one.
 */
export function weighSignals(
  plan: RolloutPlan,
  step: number,
  signals: readonly Signal[],
  formerLookAt: number,
): SignalWeight {
  const sources = new Set(signals.map(({ source }) => `${source.kind} ${source.name}`)).size;
  if (signals.length === 0) return { heed: 'none', sources };
  const isLow = plan.steps[step]!.weightPpm <= lowWeightPpm;
  const isVendors = signals.some(({ source }) => source.kind === 'vendor');
  if (isLow || isVendors || sources >= sitesNeeded) return { heed: 'enough', sources };
  const isFresh = signals.some(({ at }) => at > formerLookAt);
  return { heed: isFresh ? 'alone' : 'none', sources };
}

/** A limit that is broken right now is this site's own signal, before its second look makes it a verdict. */
export function limitSignals(limits: readonly LimitState[], now: number): readonly Signal[] {
  return limits
    .filter(({ streak }) => streak > 0)
    .map(({ sentence }) => ({ kind: 'limit', source: OWN_SITE, at: now, detail: sentence }));
}
