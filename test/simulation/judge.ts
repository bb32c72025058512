import { parseArgs } from 'node:util';
import type { Harm, Load } from './judge/fleet.js';
import { type RolloutResult, runRollout } from './judge/run-rollout.js';

/**
 * Operating characteristics of the whole decision (small-fleets.md §4): `npm run simulation -- judge --sizes 400
 * --share 0.25`. `--share` runs that part of the table's rollouts; `--others` is how many metrics are not critical.
 */
interface Row {
  readonly name: string;
  readonly harm: Harm;
}

const rows: readonly Row[] = [
  { name: 'harmless', harm: {} },
  { name: 'errors-x1.5', harm: { errorFactor: 1.5 } },
  { name: 'errors-x3', harm: { errorFactor: 3 } },
  { name: 'p99+10%', harm: { exceedanceFactor: 1.34 } },
  { name: 'p99+50%', harm: { exceedanceFactor: 3.2 } },
  { name: 'memory+5%', harm: { memoryFactor: 1.05 } },
  { name: 'memory+20%', harm: { memoryFactor: 1.2 } },
  { name: 'crash-on-start-5%', harm: { crashOnStart: 0.05 } },
];

const columns = [
  { size: 20, rollouts: 2_000, seed: 101 },
  { size: 100, rollouts: 1_000, seed: 102 },
  { size: 400, rollouts: 600, seed: 103 },
  { size: 1_000, rollouts: 200, seed: 104 },
  { size: 4_000, rollouts: 100, seed: 105 },
] as const;

const load: Load = { requests: 20, errorRate: 0.01 };

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: columns.map(({ size }) => size).join() },
    only: { type: 'string', default: rows.map(({ name }) => name).join() },
    share: { type: 'string', default: '1' },
    others: { type: 'string', default: '44' },
  },
});
const sizes = options.sizes.split(',').map(Number);
const only = options.only.split(',');
const share = Number(options.share);
const otherMetrics = Number(options.others);
const chosen = columns.filter(({ size }) => sizes.includes(size));
const chosenRows = rows.filter(({ name }) => only.includes(name));
if (chosen.length < sizes.length || chosenRows.length < only.length || !(share > 0) || !(otherMetrics >= 0)) {
  console.error(
    `--sizes of ${columns.map(({ size }) => size)}; --only of ${rows.map(({ name }) => name)}; --share > 0; --others ≥ 0`,
  );
  process.exit(2);
}

for (const { size, rollouts, seed } of chosen) {
  for (const { name, harm } of chosenRows) {
    const count = Math.max(1, Math.round(rollouts * share));
    const results = Array.from({ length: count }, (_, k) =>
      runRollout({ size, seed: seed * 100_000 + k, harm, load, otherMetrics }),
    );
    console.log(`N=${size} ${name}: ${summary(results)}`);
  }
}

function summary(results: readonly RolloutResult[]): string {
  const caught = results.filter(({ end }) => end === 'rolled-back');
  const highest = results.map((result) => result.highest).sort((a, b) => a - b);
  const evidence = `Ē p95 ${at(highest, 0.95).toFixed(2)} max ${at(highest, 1).toFixed(2)}`;
  const hours = results.map((result) => result.hours).sort((a, b) => a - b);
  if (caught.length === 0)
    return `${results.length} of ${results.length} completed, hours ${at(hours, 0.5)} (p90 ${at(hours, 0.9)}), ${evidence}`;
  const where = new Map<string, number>();
  for (const { endedAtPpm, code } of caught) {
    const key = `${endedAtPpm / 10_000} % ${code}`;
    where.set(key, (where.get(key) ?? 0) + 1);
  }
  const exposure = caught.map((result) => result.canaryInstanceHours).sort((a, b) => a - b);
  const steps = [...where].map(([key, n]) => `${key}: ${n}`).join(', ');
  return `rolled back ${caught.length} of ${results.length} (${steps}), median canary hours ${at(exposure, 0.5).toFixed(0)}, ${evidence}`;
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
