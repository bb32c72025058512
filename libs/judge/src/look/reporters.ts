import type { StepTable } from '../row/step-table.js';

/** Who was heard of in a step, per arm. */
export interface Reporters {
  readonly canary: number;
  readonly baseline: number;
  /** Reported through the whole bake. */
  readonly finished1: number;
  readonly finished0: number;
  /** Known from the pre-period, so expected to. */
  readonly expected1: number;
  readonly expected0: number;
}

export function countReporters({ canary, known, reported, finishedAt }: StepTable): Reporters {
  const heard = [0, 0];
  const finished = [0, 0];
  const expected = [0, 0];
  for (let i = 0; i < canary.length; i++) {
    const arm = canary[i]!;
    heard[arm]! += reported[i]!;
    expected[arm]! += known[i]!;
    if (!Number.isNaN(finishedAt[2][i])) finished[arm]! += 1;
  }
  return {
    canary: heard[1]!,
    baseline: heard[0]!,
    finished1: finished[1]!,
    finished0: finished[0]!,
    expected1: expected[1]!,
    expected0: expected[0]!,
  };
}
