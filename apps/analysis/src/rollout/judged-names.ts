import type { MetricDefinition } from '@headgate/contracts';
import type { JudgedReport } from '@headgate/judge';
import type { TelemetryReport } from '../telemetry/telemetry-pack.js';

/** Which of a report's readings a rollout's metrics are made of. All others are not kept: memory follows what is judged. */
export interface JudgedNames {
  readonly counters: ReadonlySet<string>;
  readonly gauges: ReadonlySet<string>;
  readonly events: ReadonlySet<string>;
}

export function judgedNames(metrics: readonly MetricDefinition[]): JudgedNames {
  const names = { counters: new Set<string>(), gauges: new Set<string>(), events: new Set<string>() };
  for (const metric of metrics) {
    switch (metric.kind) {
      case 'ratio':
        names.counters.add(metric.numerator).add(metric.denominator);
        break;
      case 'gauge':
        names.gauges.add(metric.gauge);
        break;
      case 'rare-event':
        names.events.add(metric.event);
        break;
    }
  }
  return names;
}

export function judgedPart(report: TelemetryReport, names: JudgedNames): JudgedReport {
  const { counters = {}, gauges = {}, events = {} } = report.metrics ?? {};
  return {
    instance: report.instance,
    bootId: report.bootId,
    seq: report.seq,
    metrics: {
      counters: pick(counters, names.counters),
      gauges: pick(gauges, names.gauges),
      events: pick(events, names.events),
    },
    ...(report.crash && { crash: report.crash }),
  };
}

function pick<T>(from: Readonly<Record<string, T>>, names: ReadonlySet<string>): Record<string, T> {
  const picked: Record<string, T> = {};
  for (const name of names) if (Object.hasOwn(from, name)) picked[name] = from[name]!;
  return picked;
}
