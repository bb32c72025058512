const percent = 10_000;

export interface Ladder {
  readonly weightsPpm: readonly number[];
  readonly holdBackPpm: number;
}

/** Fleet size below which the row applies; the first step has about five canaries, each next is 2 to 5 times as large. */
const ladders: readonly { readonly below: number; readonly steps: readonly number[] }[] = [
  { below: 10, steps: [50, 100] },
  { below: 50, steps: [25, 50, 100] },
  { below: 200, steps: [10, 25, 50, 100] },
  { below: 400, steps: [5, 25, 50, 90] },
  { below: 800, steps: [5, 25, 50, 95] },
  { below: 2_000, steps: [1, 10, 25, 50, 75, 95] },
  { below: 10_000, steps: [1, 5, 10, 25, 50, 75, 99] },
  { below: Number.POSITIVE_INFINITY, steps: [1, 5, 10, 25, 50, 75, 90, 99] },
];

/** With nobody reporting, the fleet's size is unknown: few steps, and time does the rest. */
const unseen: readonly number[] = [10, 50, 100];

/**
 * Where a fleet of this size stops on its way up. What the last step leaves out is the hold-back: the smallest of 1, 5
 * and 10 % that keeps 20 instances as baseline, none below 200 instances.
 */
export function ladderFor(fleetSize: number, own?: readonly number[]): Ladder {
  if (own !== undefined && own.length > 0) return ladder([...new Set(own)].sort((a, b) => a - b));
  if (fleetSize === 0) return ladder(unseen.map((share) => share * percent));
  const row = ladders.find(({ below }) => fleetSize < below)!;
  return ladder(row.steps.map((share) => share * percent));
}

function ladder(weightsPpm: readonly number[]): Ladder {
  return { weightsPpm, holdBackPpm: 1_000_000 - weightsPpm.at(-1)! };
}
