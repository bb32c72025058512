import type { MetricDefinition } from '@headgate/judge';
import type { Draws } from './draws.js';

/** Taken once: in jest's contexts every look at a global is slow. */
const { exp, floor, log, min } = Math;

/** What the new path does to the instances that run it. Nothing by default. */
export interface Harm {
  readonly errorFactor?: number;
  readonly exceedanceFactor?: number;
  readonly memoryFactor?: number;
  /** Share of instances that crash as soon as they are on the new path. */
  readonly crashOnStart?: number;
}

/** Mean requests per instance and quarter of a bake, and level of the metric that is called `errors`. */
export interface Load {
  readonly requests: number;
  readonly errorRate: number;
}

/** One metric of the simulated fleet: its definition and how its values come about. */
export type Source =
  | {
      readonly kind: 'ratio';
      readonly definition: MetricDefinition;
      readonly rate: number;
      readonly spread: number;
    }
  | { readonly kind: 'gauge'; readonly definition: MetricDefinition; readonly spread: number }
  | { readonly kind: 'event'; readonly definition: MetricDefinition; readonly perQuarter: number };

const perHour = 1 / 4;

/** Six critical metrics as in small-fleets.md, and `others` in the proportions of judge.md (3 : 3 : 3 : 1). */
export function sourcesOf(load: Load, others: number): readonly Source[] {
  const critical: readonly Source[] = [
    ratio('errors', 'critical', load.errorRate, 0.7, { safeMargin: 0.25 }),
    ratio('slow-p99', 'critical', 0.01, 0.45, { safeMargin: 0.25 }),
    gauge('memory', 'critical', 0.4, { safeMargin: 0.1 }),
    event('crash', 'critical', 0.001 * perHour, { absoluteMargin: 0.02 }),
    ratio('quiet-errors', 'critical', 1e-5, 0.7, { absoluteMargin: 0.01 }),
    event('heartbeat-lost', 'critical', 0.0005 * perHour, { absoluteMargin: 0.02 }),
  ];
  const rest = Array.from({ length: others }, (_, k) => {
    const name = `other-${k}`;
    const kind = k % 10;
    if (kind < 3) return gauge(name, 'other', 0.2 + 0.1 * (k % 5), {});
    if (kind < 6) return ratio(name, 'other', [0.01, 0.03, 0.1][k % 3]!, 0.5 + 0.1 * (k % 6), {});
    if (kind < 9) return ratio(name, 'other', [0.25, 0.1, 0.01][k % 3]!, 0.3 + 0.06 * (k % 6), {});
    return event(name, 'other', 0.002 * perHour, {});
  });
  return [...critical, ...rest];
}

type Margins = { readonly safeMargin?: number; readonly absoluteMargin?: number };
type Tier = MetricDefinition['tier'];

function ratio(name: string, tier: Tier, rate: number, spread: number, margins: Margins): Source {
  return {
    kind: 'ratio',
    rate,
    spread,
    definition: {
      kind: 'ratio',
      name,
      tier,
      margin: 0,
      numerator: name,
      denominator: 'requests',
      worse: 'up',
      ...margins,
    },
  };
}

function gauge(name: string, tier: Tier, spread: number, margins: Margins): Source {
  return {
    kind: 'gauge',
    spread,
    definition: { kind: 'gauge', name, tier, margin: 0, gauge: name, worse: 'up', ...margins },
  };
}

function event(name: string, tier: Tier, perQuarter: number, margins: Margins): Source {
  return {
    kind: 'event',
    perQuarter,
    definition: { kind: 'rare-event', name, tier, margin: 0, event: name, ...margins },
  };
}

/** Instances that differ for good (the traits) and share shocks in time: what makes naive comparisons fail. */
export interface Fleet {
  readonly size: number;
  readonly sources: readonly Source[];
  readonly buckets: Float64Array;
  readonly activity: Float64Array;
  /** Per metric and instance: log factor of a rate, log level of a gauge, log frailty for events. */
  readonly traits: readonly Float64Array[];
  readonly crashesOnStart: Uint8Array;
  readonly harm: Harm;
}

export function openFleet(size: number, sources: readonly Source[], harm: Harm, draws: Draws): Fleet {
  const column = (make: () => number) => Float64Array.from({ length: size }, make);
  return {
    size,
    sources,
    harm,
    buckets: column(() => floor(draws.uniform() * 1_000_000)),
    activity: column(() => exp(0.7 * draws.normal() - 0.245)),
    traits: sources.map((source) => {
      const spread = source.kind === 'event' ? 1 : source.spread;
      const centre = source.kind === 'gauge' ? 0 : (-spread * spread) / 2;
      return column(() => spread * draws.normal() + centre);
    }),
    crashesOnStart: Uint8Array.from({ length: size }, () =>
      draws.uniform() < (harm.crashOnStart ?? 0) ? 1 : 0,
    ),
  };
}

/** What one quarter of a bake adds to each instance: requests, events of a ratio, mean log level of a gauge. */
export interface Quarter {
  readonly requests: Float64Array;
  readonly values: readonly Float64Array[];
}

const gaugeNoise = 0.05;

export function drawQuarter(fleet: Fleet, load: Load, weightPpm: number, draws: Draws): Quarter {
  const shock = exp(0.15 * draws.normal());
  const requests = fleet.activity.map((activity) => draws.poisson(load.requests * activity * shock));
  return { requests, values: fleet.sources.map((_, m) => drawValues(fleet, m, requests, weightPpm, draws)) };
}

function drawValues(
  fleet: Fleet,
  m: number,
  requests: Float64Array,
  weightPpm: number,
  draws: Draws,
): Float64Array {
  const source = fleet.sources[m]!;
  const traits = fleet.traits[m]!;
  const common = 0.1 * draws.normal();
  const isOn = (i: number) => fleet.buckets[i]! < weightPpm;
  switch (source.kind) {
    case 'ratio': {
      const factor = factorOf(source, fleet.harm);
      return requests.map((w, i) => {
        const rate = min(0.9, source.rate * exp(traits[i]! + common) * (isOn(i) ? factor : 1));
        return w === 0 ? 0 : min(w, draws.poisson(w * rate));
      });
    }
    case 'gauge': {
      const step = source.definition.name === 'memory' ? log(fleet.harm.memoryFactor ?? 1) : 0;
      return traits.map((trait, i) => {
        traits[i] = trait + 0.01 * draws.normal();
        return trait + 0.2 * common + gaugeNoise * draws.normal() + (isOn(i) ? step : 0);
      });
    }
    case 'event':
      return traits.map((trait) => (draws.uniform() < source.perQuarter * exp(trait) ? 1 : 0));
  }
}

function factorOf({ definition }: Source, harm: Harm): number {
  if (definition.name === 'errors') return harm.errorFactor ?? 1;
  return definition.name === 'slow-p99' ? (harm.exceedanceFactor ?? 1) : 1;
}
