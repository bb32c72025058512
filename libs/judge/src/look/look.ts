import type { Engine } from '../plan/rollout-plan.js';
import type { Signal } from './signal.js';

/** `stop` is returned for a rollout past its point of no return, where evidence can no longer roll back. */
export type Decision = 'wait' | 'extend' | 'hold' | 'promote' | 'roll-back' | 'stop';

export type LookCode =
  | 'baking'
  | 'sparse'
  | 'leaning'
  | 'late'
  | 'not-proven-yet'
  | 'unproven'
  | 'worse'
  | 'limit'
  | 'signal'
  | 'srm'
  | 'judged'
  | 'unjudged:too-small'
  | 'unjudged:no-reports'
  | 'unjudged:no-hold-back';

export interface MetricLook {
  readonly name: string;
  readonly engine: Engine;
  /** Canary and baseline instances that gave data. */
  readonly n1: number;
  readonly n0: number;
  /** e-value for harm, averaged over the steps so far; never above 1e300. */
  readonly e: number;
  /** This step alone, natural logarithm. */
  readonly lnE: number;
  /** Evidence for safety, averaged over the 25 % and 50 % steps. */
  readonly eSafe: number;
  readonly z?: number;
  /** Relative effect beyond the margin (0.5 = half as much again); positive is worse. */
  readonly effect?: number;
  readonly state: 'worse' | 'leaning' | 'proven-safe' | 'quiet' | 'too-few' | 'quarantined';
}

/** One look at one step: a pure function of what was handed in. */
export interface Look {
  readonly decision: Decision;
  readonly code: LookCode;
  readonly step: number;
  readonly weightPpm: number;
  readonly at: number;
  /** Weighted evidence over all metrics and steps, against `threshold` (1/alpha). */
  readonly eBar: number;
  readonly lnEBar: number;
  readonly threshold: number;
  readonly srm: number;
  readonly canary: number;
  readonly baseline: number;
  readonly perMetric: readonly MetricLook[];
  /** Metrics reported as worse with the false discovery rate held at alpha; only filled when this look rolls back. */
  readonly eBH: readonly string[];
  /** Critical metrics proven within their margin, due and unproven, and not due. */
  readonly proven: readonly string[];
  readonly unproven: readonly string[];
  readonly notDue: readonly string[];
  readonly reasons: readonly string[];
  /** Known at this look, whether they decided or not; absent when there are none. */
  readonly signals?: readonly Signal[];
  /** Hand this to the next look. */
  readonly history: History;
}

/** What later looks need of former ones. Plain JSON; start with `emptyHistory`. */
export interface History {
  readonly steps: readonly StepRecord[];
}

/** Columns aligned with `plan.metrics`. */
export interface StepRecord {
  readonly step: number;
  /** Of the step's newest look: what became known since is news to the next step. */
  readonly at: number;
  readonly lnE: readonly number[];
  readonly lnSafe: readonly number[];
  /** Largest information seen in this step. */
  readonly information: readonly number[];
  readonly safeInformation: readonly number[];
  /** Engine L only: wealth per hazard ratio, carried from step to step; empty for other metrics. */
  readonly hazards: readonly (readonly number[])[];
  /** Looks in a row at which each hard limit was broken. */
  readonly limitStreaks: readonly number[];
}

export const emptyHistory: History = { steps: [] };
