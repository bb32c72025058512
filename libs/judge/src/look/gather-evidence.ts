import { lnMean } from '../numeric/ln-sum.js';
import type { PlannedMetric } from '../plan/rollout-plan.js';
import type { MetricColumns } from '../row/step-table.js';
import { absoluteSafety } from './absolute-safety.js';
import { betOnAssignment } from './bet-on-assignment.js';
import { compareArms } from './compare-arms.js';
import { countEvents } from './count-events.js';
import { type Carried, type EvidenceContext, noEvidence, type StepEvidence } from './step-evidence.js';

/** Judges one metric by the engine that the plan chose for it. */
export function gatherEvidence(
  metric: PlannedMetric,
  columns: MetricColumns,
  carried: Carried,
  context: EvidenceContext,
): StepEvidence {
  const safe = absoluteSafety(metric, columns, context);
  switch (metric.engines[context.step]!) {
    case 'N':
      return withSafety(compareArms(metric, columns, carried, context), safe);
    case 'B':
      return withSafety(betOnAssignment(metric, columns, context), safe);
    case 'L':
      return withSafety(countEvents(metric, columns, carried, context), safe);
    case 'none':
      return frozen(carried);
  }
}

function withSafety(evidence: StepEvidence, lnSafe: number | null): StepEvidence {
  return lnSafe === null ? evidence : { ...evidence, lnSafe };
}

/** Nobody to compare with: what engine L has found so far stands, and nothing is added. */
function frozen({ hazards }: Carried): StepEvidence {
  return { ...noEvidence, hazards, lnE: hazards.length > 0 ? lnMean(hazards) : 0 };
}
