import type { Scores } from '../engine/contrast.js';
import type { RolloutPlan } from '../plan/rollout-plan.js';
import type { StepTable } from '../row/step-table.js';

/** Evidence of one metric in one step, at one look. Logarithms; 0 = no evidence either way. */
export interface StepEvidence {
  readonly lnE: number;
  readonly lnSafe: number;
  readonly n1: number;
  readonly n0: number;
  readonly information: number;
  readonly safeInformation: number;
  readonly hazards: readonly number[];
  readonly z?: number;
  readonly effect?: number;
  /** The engine had what it needs. */
  readonly isEnough: boolean;
}

export interface EvidenceContext {
  readonly plan: RolloutPlan;
  readonly step: number;
  readonly stepStartedAt: number;
  readonly now: number;
  readonly table: StepTable;
  /** Order of bets; made on first use, as most looks of large fleets need none. */
  readonly order: () => Uint32Array;
  readonly scores: Scores;
}

/** What former looks at this step, and for engine L former steps, have left behind. */
export interface Carried {
  readonly information: number;
  readonly safeInformation: number;
  readonly hazards: readonly number[];
}

export const noEvidence: StepEvidence = {
  lnE: 0,
  lnSafe: 0,
  n1: 0,
  n0: 0,
  information: 0,
  safeInformation: 0,
  hazards: [],
  isEnough: false,
};
