import type { Ladder } from './ladder.js';

/** A step before anybody knows which metrics it can decide. */
export interface StepShape {
  readonly weightPpm: number;
  readonly share: number;
  readonly safeShare: number;
  readonly isProofDue: boolean;
  readonly isFinal: boolean;
  /** Expected instances in canary and baseline. */
  readonly n1: number;
  readonly n0: number;
}

const half = 500_000;
const fewest = 5;

/**
 * Shares of the steps in the evidence. The 50 % step sees most and counts double, later ones half; a step with an arm
 * below five instances counts nothing. Safety is carried from the 25 % and 50 % steps, where both arms are large.
 */
export function planSteps({ weightsPpm }: Ladder, fleetSize: number): readonly StepShape[] {
  const arms = weightsPpm.map((weightPpm) => {
    const n1 = Math.round((fleetSize * weightPpm) / 1_000_000);
    return { n1, n0: fleetSize - n1 };
  });
  const raw = weightsPpm.map((weightPpm, s): number => {
    if (arms[s]!.n1 < fewest || arms[s]!.n0 < fewest) return 0;
    if (weightPpm > half) return 0.5;
    return weightPpm === half ? 2 : 1;
  });
  const total = raw.reduce((a, b) => a + b, 0);
  const due = weightsPpm.findIndex((weightPpm) => weightPpm >= half && weightPpm < 1_000_000);
  const hasQuarter = due > 0 && weightsPpm[due - 1]! >= half * 0.4;
  return weightsPpm.map((weightPpm, s) => ({
    weightPpm,
    share: total > 0 ? raw[s]! / total : 0,
    safeShare: safeShare(s, due, hasQuarter),
    isProofDue: s === due,
    isFinal: s === weightsPpm.length - 1,
    ...arms[s]!,
  }));
}

function safeShare(step: number, due: number, hasQuarter: boolean): number {
  if (step === due) return hasQuarter ? 0.75 : 1;
  return hasQuarter && step === due - 1 ? 0.25 : 0;
}
