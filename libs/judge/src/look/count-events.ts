import { logRank } from '../engine/log-rank.js';
import type { RareEventMetric } from '../metric.js';
import { HEARTBEAT_LOST } from '../metric.js';
import type { PlannedMetric } from '../plan/rollout-plan.js';
import type { MetricColumns, RareEventColumns } from '../row/step-table.js';
import { type Carried, type EvidenceContext, noEvidence, type StepEvidence } from './step-evidence.js';

/** Engine L over the instances known from the pre-period; those whose reports stopped can have no other event. */
export function countEvents(
  metric: PlannedMetric,
  columns: MetricColumns,
  carried: Carried,
  { table, stepStartedAt, now }: EvidenceContext,
): StepEvidence {
  const definition = metric.definition as RareEventMetric;
  const eventAt = (columns as RareEventColumns).at;
  const found = logRank(
    {
      canary: table.canary,
      atRisk: table.known,
      eventAt,
      censoredAt: definition.event === HEARTBEAT_LOST ? null : table.lostAt,
    },
    { from: stepStartedAt, until: now, margin: definition.margin, wealth: carried.hazards },
  );
  return {
    ...noEvidence,
    lnE: found.lnE,
    hazards: found.wealth,
    n1: found.atRisk1,
    n0: found.atRisk0,
    isEnough: found.atRisk1 > 0 && found.atRisk0 > 0,
  };
}
