import { CASES, type CaseName, EXPECTED_ON, SUBJECTS, subjects } from './subject.js';
import type { Ask, System } from './system.js';

export interface Row {
  readonly system: string;
  readonly version: string;
  readonly case: CaseName;
  readonly nsPerOp: number;
  readonly opsPerSecond: number;
  readonly bytesPerOp: number;
  /** Share of the contexts that are on, in percent; null for a system that evaluates nothing. */
  readonly onPercent: number | null;
}

export interface Effort {
  readonly rounds: number;
  /** Time that one round of one case should take. */
  readonly roundMs: number;
  /** How often the heap is looked at, for each case. */
  readonly heapSamples: number;
}

interface Measured {
  readonly system: System;
  readonly name: CaseName;
  readonly ask: Ask<unknown>;
  readonly contexts: readonly unknown[];
  readonly onPercent: number | null;
  passes: number;
  readonly ns: number[];
}

/**
 * Measures all systems and cases in this process, one after the other within each round, so that whatever else the machine does
 * hits all alike. CPU time of all threads, garbage collection included; the median of the rounds.
 */
export const measure = async (
  systems: readonly System[],
  { rounds, roundMs, heapSamples }: Effort,
): Promise<readonly Row[]> => {
  const all = await Promise.all(systems.flatMap((system) => CASES.map((name) => prepare(system, name))));
  for (const one of all) one.passes = await calibrate(one, roundMs);
  for (let round = 0; round < rounds; round += 1) {
    for (const one of all) one.ns.push(await timed(one, one.passes));
  }
  const rows: Row[] = [];
  for (const one of all) {
    const nsPerOp = median(one.ns);
    rows.push({
      system: one.system.system,
      version: one.system.version,
      case: one.name,
      nsPerOp: round(nsPerOp, 1),
      opsPerSecond: Math.round(1e9 / nsPerOp),
      bytesPerOp: await bytesOf(one, heapSamples),
      onPercent: one.onPercent,
    });
  }
  return rows;
};

/** The answers alone, checked: a system that evaluated nothing would be fast. */
const prepare = async (system: System, name: CaseName, count = SUBJECTS): Promise<Measured> => {
  const contexts = subjects()
    .slice(0, count)
    .map((subject) => system.contextOf(subject));
  const ask = system.ask[name];
  const on = await run(ask, contexts, 1);
  const share = (100 * on) / contexts.length;
  const [least, most] = EXPECTED_ON[name];
  const evaluates = system.evaluates ?? true;
  if (evaluates && (share < least || share > most)) {
    throw new Error(
      `${system.system}: ${name} is on for ${share.toFixed(2)} %, expected ${least} to ${most}`,
    );
  }
  return { system, name, ask, contexts, onPercent: evaluates ? round(share, 2) : null, passes: 1, ns: [] };
};

export { prepare as answersOf };

const run = (ask: Ask<unknown>, contexts: readonly unknown[], passes: number): number | Promise<number> =>
  'sync' in ask ? runSync(ask.sync, contexts, passes) : runAsync(ask.async, contexts, passes);

const runSync = (
  ask: (context: unknown) => boolean,
  contexts: readonly unknown[],
  passes: number,
): number => {
  let on = 0;
  for (let pass = 0; pass < passes; pass += 1) {
    for (let i = 0; i < contexts.length; i += 1) if (ask(contexts[i])) on += 1;
  }
  return on;
};

const runAsync = async (
  ask: (context: unknown) => Promise<boolean>,
  contexts: readonly unknown[],
  passes: number,
): Promise<number> => {
  let on = 0;
  for (let pass = 0; pass < passes; pass += 1) {
    for (let i = 0; i < contexts.length; i += 1) if (await ask(contexts[i])) on += 1;
  }
  return on;
};

const timed = async ({ ask, contexts }: Measured, passes: number): Promise<number> => {
  const begun = process.cpuUsage();
  const on = run(ask, contexts, passes);
  if (typeof on !== 'number') await on;
  const { user, system } = process.cpuUsage(begun);
  return ((user + system) * 1_000) / (passes * contexts.length);
};

/** Warms a case up, and finds how many passes fill a round. */
const calibrate = async (one: Measured, roundMs: number): Promise<number> => {
  let ns = 0;
  for (let pass = 1; pass <= 32; pass *= 2) {
    ns = await timed(one, pass);
    if (ns * one.contexts.length * pass > roundMs * 2e6) break;
  }
  return Math.max(1, Math.ceil((roundMs * 1e6) / (Math.max(ns, 1) * one.contexts.length)));
};

const PER_SAMPLE = 256;

/**
 * Heap allocated by one evaluation: what the heap grew by, less what looking at it costs. Samples in which something was
 * collected are left out.
 */
const bytesOf = async ({ ask, contexts }: Measured, count: number): Promise<number> => {
  const few = contexts.slice(0, PER_SAMPLE);
  const growth = async (asked: readonly unknown[]): Promise<number> => {
    const samples: number[] = [];
    for (let i = 0; i < count; i += 1) {
      const before = process.memoryUsage().heapUsed;
      const on = run(ask, asked, 1);
      if (typeof on !== 'number') await on;
      const grown = process.memoryUsage().heapUsed - before;
      if (grown >= 0) samples.push(grown);
    }
    return median(samples);
  };
  return round(Math.max(0, (await growth(few)) - (await growth([]))) / PER_SAMPLE, 1);
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
