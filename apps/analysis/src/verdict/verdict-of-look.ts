import type { EventData, JsonValue, WeighedSignal } from '@headgate/contracts';
import type { MetricLook, Signal } from '@headgate/judge';
import type { MadeLook } from '../rollout/rollout-analysis.js';

type Verdict = EventData<'rollout-verdict-given.v1'>;

/** The event's limits (contracts): a verdict is at most 64 KiB; the rest stands in the analysis that its digest names. */
const MOST_METRICS = 50;
const MOST_REASONS = 50;
const MOST_REASON = 1_000;
const MOST_SIGNALS = 20;
const MOST_EVIDENCE = 1e300;

/** What the log keeps of a look. */
export function verdictOf({ look, script, onInstanceHours }: MadeLook, analysisDigest: string): Verdict {
  const reasons = look.reasons.slice(0, MOST_REASONS).map((reason) => reason.slice(0, MOST_REASON));
  return {
    step: look.step,
    decision: look.decision,
    code: look.code,
    reasons,
    evidence: finite(look.eBar),
    threshold: finite(look.threshold),
    metrics: [...look.perMetric].sort(byEvidence).slice(0, MOST_METRICS).map(plainMetric),
    instances: { canary: look.canary, baseline: look.baseline },
    onInstanceHours,
    ...(look.signals && { signals: weighed(look.signals) }),
    look: { at: Math.round(look.at), telemetrySequence: script.acts.at(-1)?.after ?? 0, analysisDigest },
    why: `${look.decision} (${look.code})${reasons[0] ? `: ${reasons[0]}` : ''}`,
  };
}

/** The newest, as the log keeps them. */
export const weighed = (signals: readonly Signal[]): WeighedSignal[] =>
  signals.slice(-MOST_SIGNALS).map(({ kind, source, at, detail }) => ({
    kind,
    source: { ...source },
    at: Math.round(at),
    detail: detail.slice(0, MOST_REASON),
  }));

/** What weighs most first; names settle ties, so that the same look gives the same bytes. */
const byEvidence = (a: MetricLook, b: MetricLook): number =>
  b.e - a.e || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

const plainMetric = (metric: MetricLook): JsonValue => JSON.parse(JSON.stringify(metric)) as JsonValue;

const finite = (value: number): number =>
  Number.isFinite(value) ? Math.min(value, MOST_EVIDENCE) : MOST_EVIDENCE;
