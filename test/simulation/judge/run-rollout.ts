import {
  completePolicy,
  emptyHistory,
  type History,
  type JudgePolicy,
  judge,
  type Look,
  type MetricColumns,
  type PreRow,
  planRollout,
  type RolloutPlan,
  type StepTable,
} from '@headgate/judge';
import { type Draws, openDraws } from './draws.js';
import {
  drawQuarter,
  type Fleet,
  type Harm,
  type Load,
  openFleet,
  type Quarter,
  sourcesOf,
} from './fleet.js';

export interface Scenario {
  readonly size: number;
  readonly seed: number;
  readonly harm: Harm;
  readonly load: Load;
  readonly otherMetrics: number;
  /** On top of a one-hour bake with a look every quarter; 0 warm-up and report time, as the model has neither. */
  readonly policy?: Partial<JudgePolicy>;
}

export interface RolloutResult {
  readonly plan: RolloutPlan;
  readonly end: 'completed' | 'rolled-back';
  readonly code: Look['code'];
  readonly endedAtPpm: number;
  readonly hours: number;
  readonly canaryInstanceHours: number;
  /** Largest averaged evidence at any look. */
  readonly highest: number;
  readonly looks: number;
}

const hourMs = 3_600_000;
const quarterMs = hourMs / 4;

/** Runs one rollout from its pre-period to its end, with the real plan and the real judge, looking every quarter. */
export function runRollout(scenario: Scenario): RolloutResult {
  const draws = openDraws(scenario.seed);
  const sources = sourcesOf(scenario.load, scenario.otherMetrics);
  const fleet = openFleet(scenario.size, sources, scenario.harm, draws);
  const policy = completePolicy(
    {
      bakeMs: hourMs,
      warmUpMs: 0,
      reportMs: 0,
      maxBakeMs: 2 * hourMs,
      holdMaxMs: 2 * hourMs,
      ...scenario.policy,
    },
    scenario.size,
  );
  const pre = drawPrePeriod(fleet, scenario.load, draws);
  const plan = planRollout({
    preRows: preRowsOf(fleet, pre),
    metrics: sources.map(({ definition }) => definition),
    policy,
    orderSalt: `order-${scenario.seed}`,
  });
  return climb(fleet, plan, pre, scenario, draws);
}

function climb(
  fleet: Fleet,
  plan: RolloutPlan,
  pre: readonly Quarter[],
  scenario: Scenario,
  draws: Draws,
): RolloutResult {
  let history: History = emptyHistory;
  let now = 0;
  let canaryInstanceHours = 0;
  let highest = 1;
  let looks = 0;
  const eventAt = fleet.sources.map(() => new Float64Array(fleet.size).fill(Number.NaN));
  const isOn = new Uint8Array(fleet.size);
  const result = (end: RolloutResult['end'], look: Look): RolloutResult => ({
    plan,
    end,
    code: look.code,
    endedAtPpm: look.weightPpm,
    hours: now / hourMs,
    canaryInstanceHours,
    highest,
    looks,
  });
  for (let step = 0; ; step++) {
    const { weightPpm, isFinal } = plan.steps[step]!;
    const stepStartedAt = now;
    const instances = startStep(fleet, weightPpm, isOn, eventAt, now);
    const quarters: Quarter[] = [];
    for (;;) {
      const quarter = drawQuarter(fleet, scenario.load, weightPpm, draws);
      quarters.push(quarter);
      recordEvents(fleet, quarter, eventAt, now, draws);
      now += quarterMs;
      canaryInstanceHours += instances / 4;
      const rows = tableOf({ fleet, plan, step, stepStartedAt, pre, quarters, isOn, eventAt });
      const look = judge({ plan, step, stepStartedAt, now, rows, history });
      history = look.history;
      looks += 1;
      highest = Math.max(highest, look.eBar);
      if (look.decision === 'roll-back' || look.decision === 'stop') return result('rolled-back', look);
      if (look.decision !== 'promote') continue;
      if (isFinal) return result('completed', look);
      break;
    }
  }
}

/** Puts the instances below the weight on the new path; those that crash on start do so at once. Returns how many are on. */
function startStep(
  fleet: Fleet,
  weightPpm: number,
  isOn: Uint8Array,
  eventAt: readonly Float64Array[],
  now: number,
): number {
  const crash = fleet.sources.findIndex(({ definition }) => definition.name === 'crash');
  let on = 0;
  for (let i = 0; i < fleet.size; i++) {
    if (fleet.buckets[i]! >= weightPpm) continue;
    on += 1;
    if (isOn[i] === 0 && fleet.crashesOnStart[i] === 1 && Number.isNaN(eventAt[crash]![i]))
      eventAt[crash]![i] = now + 1;
    isOn[i] = 1;
  }
  return on;
}

function recordEvents(
  fleet: Fleet,
  quarter: Quarter,
  eventAt: readonly Float64Array[],
  now: number,
  draws: Draws,
): void {
  fleet.sources.forEach(({ kind }, m) => {
    if (kind !== 'event') return;
    quarter.values[m]!.forEach((happened, i) => {
      if (happened === 1 && Number.isNaN(eventAt[m]![i]))
        eventAt[m]![i] = now + 2 + draws.uniform() * (quarterMs - 3);
    });
  });
}

function drawPrePeriod(fleet: Fleet, load: Load, draws: Draws): readonly Quarter[] {
  return Array.from({ length: 8 }, () => drawQuarter(fleet, load, 0, draws));
}

function preRowsOf(fleet: Fleet, pre: readonly Quarter[]): readonly PreRow[] {
  return Array.from({ length: fleet.size }, (_, i) => ({
    instance: idOf(i),
    bucketPpm: fleet.buckets[i]!,
    bakes: [pre.slice(0, 4), pre.slice(4)].map((quarters) => ({
      counters: Object.fromEntries([
        ['requests', sumOf(quarters, (quarter) => quarter.requests[i]!)],
        ...fleet.sources.flatMap(({ kind, definition }, m) =>
          kind === 'ratio' ? [[definition.name, sumOf(quarters, (quarter) => quarter.values[m]![i]!)]] : [],
        ),
      ]),
      gauges: Object.fromEntries(
        fleet.sources.flatMap(({ kind, definition }, m) => {
          const logSum = kind === 'gauge' ? sumOf(quarters, (quarter) => quarter.values[m]![i]!) : 0;
          return kind === 'gauge' ? [[definition.name, { sum: 0, count: 4, logSum, logCount: 4 }]] : [];
        }),
      ),
    })),
    events: fleet.sources
      .filter(({ kind }, m) => kind === 'event' && pre.some((quarter) => quarter.values[m]![i] === 1))
      .map(({ definition }) => definition.name),
  }));
}

function sumOf(quarters: readonly Quarter[], read: (quarter: Quarter) => number): number {
  return quarters.reduce((sum, quarter) => sum + read(quarter), 0);
}

function idOf(i: number): string {
  return `instance-${String(i).padStart(6, '0')}`;
}

interface Snapshot {
  readonly fleet: Fleet;
  readonly plan: RolloutPlan;
  readonly step: number;
  readonly stepStartedAt: number;
  readonly pre: readonly Quarter[];
  readonly quarters: readonly Quarter[];
  readonly isOn: Uint8Array;
  readonly eventAt: readonly Float64Array[];
}

const windowQuarters = [1, 2, 4] as const;

function tableOf({ fleet, plan, step, stepStartedAt, pre, quarters, isOn, eventAt }: Snapshot): StepTable {
  const everyone = new Uint8Array(fleet.size).fill(1);
  const finished = (window: 0 | 1 | 2) => {
    const needed = windowQuarters[window];
    const at = quarters.length >= needed ? stepStartedAt + needed * quarterMs : Number.NaN;
    return new Float64Array(fleet.size).fill(at);
  };
  return {
    instances: Array.from({ length: fleet.size }, (_, i) => idOf(i)),
    canary: isOn.slice(),
    known: everyone,
    reported: everyone,
    lostAt: new Float64Array(fleet.size).fill(Number.NaN),
    finishedAt: [finished(0), finished(1), finished(2)],
    metrics: fleet.sources.map((_, m) => columnsOf({ fleet, plan, step, pre, quarters, eventAt }, m)),
  };
}

type Columns = Omit<Snapshot, 'stepStartedAt' | 'isOn'>;

function columnsOf({ fleet, plan, step, pre, quarters, eventAt }: Columns, m: number): MetricColumns {
  const { engines, definition } = plan.metrics[m]!;
  const needsWindows = engines[step] === 'B' || definition.absoluteMargin !== undefined;
  const eachWindow = <T>(read: (quarters: readonly Quarter[]) => T): readonly [T, T, T] => {
    const [first, second, whole] = windowQuarters;
    return [read(quarters.slice(0, first)), read(quarters.slice(0, second)), read(quarters.slice(0, whole))];
  };
  switch (fleet.sources[m]!.kind) {
    case 'ratio':
      return {
        kind: 'ratio',
        now: ratioSums(fleet, m, quarters),
        windows: needsWindows ? eachWindow((some) => ratioSums(fleet, m, some)) : null,
        pre: ratioSums(fleet, m, pre),
      };
    case 'gauge':
      return {
        kind: 'gauge',
        now: means(fleet, m, quarters),
        windows: needsWindows ? eachWindow((some) => means(fleet, m, some)) : null,
        pre: means(fleet, m, pre),
      };
    case 'event':
      return { kind: 'rare-event', at: eventAt[m]! };
  }
}

function ratioSums(fleet: Fleet, m: number, quarters: readonly Quarter[]) {
  const y = new Float64Array(fleet.size);
  const w = new Float64Array(fleet.size);
  for (const { requests, values } of quarters) {
    for (let i = 0; i < fleet.size; i++) {
      y[i]! += values[m]![i]!;
      w[i]! += requests[i]!;
    }
  }
  return { y, w };
}

function means(fleet: Fleet, m: number, quarters: readonly Quarter[]): Float64Array {
  const sum = new Float64Array(fleet.size);
  for (const { values } of quarters) for (let i = 0; i < fleet.size; i++) sum[i]! += values[m]![i]!;
  return sum.map((total) => total / quarters.length);
}
